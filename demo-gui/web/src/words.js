// Everything the page says, in English and 简体中文.

const ENGLISH = {
  app: 'libws notes',
  untitled: 'Untitled',
  placeholder: 'Write something. Markdown works.',
  connecting: 'Connecting',
  live: 'Live',
  readOnly: 'Read-only',
  reconnecting: 'Reconnecting',
  reconnectingKept: (n) => `Reconnecting, your ${n === 1 ? 'change is' : `${n} changes are`} kept`,
  refused: 'Refused: link no longer valid',
  refusedAdvice: 'Ask for a new link.',
  copyAdvice: 'What you see here is only in this tab now: copy what you want to keep.',
  tooBig: 'Refused: too big for this note',
  tooBigAdvice: 'The last change is larger than the host takes.',
  closed: (code) => `Refused by the host (${code})`,
  noLink: 'No note here',
  noLinkAdvice: 'Open the link that somebody shared with you. It looks like http://192.168.1.5:8765/#note.key',
  people: (n) => (n === 1 ? '1 person' : `${n} people`),
  counted: (n) => (n === 1 ? '1 word' : `${n} words`),
  you: 'You',
  yourName: 'Your name',
  yourColour: 'Your colour',
  colour: (name) => name,
  done: 'Done',
  follow: (name) => `Follow ${name}`,
  react: 'React',
  reactWith: 'A few words',
  editor: 'Text of the note',
  more: (n) => `and ${n} more`,
  // CodeMirror's own words: what is not here is said as it is.
  search: {},
};

const COLOURS_IN_CHINESE = {
  red: '红',
  orange: '橙',
  green: '绿',
  teal: '青',
  blue: '蓝',
  violet: '紫',
  pink: '粉',
  grey: '灰',
};

const CHINESE = {
  app: 'libws 笔记',
  untitled: '无标题',
  placeholder: '写点什么吧，支持 Markdown。',
  connecting: '正在连接',
  live: '实时',
  readOnly: '只读',
  reconnecting: '正在重新连接',
  reconnectingKept: (n) => `正在重新连接，${n} 处修改已保留`,
  refused: '被拒绝：链接已失效',
  refusedAdvice: '请索取新的链接。',
  copyAdvice: '此处的内容目前只在本标签页中，请复制需要保留的部分。',
  tooBig: '被拒绝：内容过大',
  tooBigAdvice: '最后一次修改超出了主机的限制。',
  closed: (code) => `被主机拒绝（${code}）`,
  noLink: '这里没有笔记',
  noLinkAdvice: '请打开别人分享给你的链接，形如 http://192.168.1.5:8765/#note.key',
  people: (n) => `${n} 人`,
  counted: (n) => `${n} 字`,
  you: '你',
  yourName: '你的名字',
  yourColour: '你的颜色',
  colour: (name) => COLOURS_IN_CHINESE[name],
  done: '完成',
  follow: (name) => `跟随 ${name}`,
  react: '表情',
  reactWith: '说一句',
  editor: '笔记正文',
  more: (n) => `还有 ${n} 人`,
  search: {
    Find: '查找',
    Replace: '替换',
    next: '下一个',
    previous: '上一个',
    all: '全选',
    'match case': '区分大小写',
    'by word': '整词',
    regexp: '正则',
    replace: '替换',
    'replace all': '全部替换',
    close: '关闭',
    'current match': '当前匹配',
    'replaced $ matches': '已替换 $ 处',
    'replaced match on line $': '已替换第 $ 行的匹配',
    'on line': '在行',
    'Go to line': '跳转到行',
    go: '跳转',
    'Control character': '控制字符',
    'Selection deleted': '已删除所选内容',
  },
};

const chinese = /^zh\b/i.test(navigator.language);

export const words = chinese ? CHINESE : ENGLISH;
export const language = chinese ? 'zh-CN' : 'en';

/** Words of the text; every Han character, kana or Hangul syllable counts as one, as word processors do. */
export function countWords(text) {
  const cjk = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu;
  const rest = text.replace(cjk, ' ');
  return (text.match(cjk) ?? []).length + (rest.match(/[\p{L}\p{N}][\p{L}\p{N}'’_-]*/gu) ?? []).length;
}
