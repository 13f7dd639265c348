// Two pages in headless Chromium and the app in one note. Prints `ok CHECK` or `FAIL CHECK<tab>DETAIL`; `do offline` and
// `do online` ask run.py for the network and wait for its `done`.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const { chromium } = createRequire(process.env.NPM_PACKAGES + '/')('playwright-core');
const setting = JSON.parse(process.env.SETTING);

const WAIT_MS = 30000;
const POLL_MS = 50;
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const GIVE_UP_MS = 4000;
// Longer than the pause that ends a step of undo.
const COMPOSE_MS = 800;
// Presence is renewed every 15 s: whoever comes back must be seen before that.
const SOON_MS = 10000;

function check(ok, name, detail = '') {
  console.log(`${ok ? 'ok' : 'FAIL'} ${name}\t${ok ? '' : JSON.stringify(detail)}`);
  if (!ok) process.exitCode = 1;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition, ms = WAIT_MS) {
  for (const deadline = Date.now() + ms; Date.now() < deadline; await pause(POLL_MS)) {
    if (await condition()) return true;
  }
  return false;
}

/** Lines of a stream, one at a time. */
class Lines {
  constructor(stream) {
    this.iterator = createInterface({ input: stream })[Symbol.asyncIterator]();
  }

  async next() {
    const { value, done } = await this.iterator.next();
    if (done) throw new Error('the other side has ended');
    return value;
  }
}

const orders = new Lines(process.stdin);

async function network(state) {
  console.log(`do ${state}`);
  await orders.next();
}

/** The app without a window, behind the line protocol. */
class App {
  constructor([program, ...args]) {
    this.process = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = new Lines(this.process.stdout);
  }

  async ask(what, args = {}) {
    this.process.stdin.write(JSON.stringify({ do: what, ...args }) + '\n');
    const answer = JSON.parse(await this.lines.next());
    if (!answer.ok) throw new Error(`the app fails at ${what}: ${answer.error}`);
    return answer;
  }

  async text() {
    return (await this.ask('text')).text;
  }
}

/** One page in a browser context of its own: its theme, language, size and store. */
class Page {
  complaints = [];
  sockets = 0;

  static async open(browser, link, options) {
    const page = new Page();
    page.context = await browser.newContext(options);
    page.tab = await page.context.newPage();
    page.tab.setDefaultTimeout(WAIT_MS);
    page.tab.on('pageerror', (error) => page.complaints.push(String(error)));
    page.tab.on('console', (message) => {
      if (message.type() === 'error') page.complaints.push(message.text());
    });
    page.tab.on('websocket', () => (page.sockets += 1));
    await page.tab.goto(link);
    return page;
  }

  /** The text as the editor shows it, without the flags of carets. */
  text() {
    return this.tab.evaluate(() => {
      const lines = [...document.querySelectorAll('.cm-line')].map((line) => {
        const copy = line.cloneNode(true);
        for (const extra of copy.querySelectorAll('.caret, .cm-placeholder')) extra.remove();
        return copy.textContent;
      });
      return lines.join('\n');
    });
  }

  async type(text) {
    await this.tab.locator('.cm-content').focus();
    await this.tab.keyboard.type(text);
  }

  words(id) {
    return this.tab.innerText(id);
  }

  becomes(id, words) {
    return until(async () => (await this.words(id)) === words);
  }

  /** The names on the flags in the text, and the text before each caret. */
  carets() {
    return this.tab.evaluate(() =>
      [...document.querySelectorAll('.caret')].map((caret) => {
        const range = document.createRange();
        range.setStart(caret.closest('.cm-line'), 0);
        range.setEndBefore(caret);
        return [caret.querySelector('.flag').textContent, range.toString()];
      }),
    );
  }

  async screenshot(name) {
    await this.tab.screenshot({ path: `${setting.screenshots}/notes-${name}.png` });
  }

  sideways() {
    return this.tab.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  }
}

/** Waits until the app and all pages show `text`. */
async function everywhere(app, pages, text, name) {
  const texts = async () => [await app.text(), ...(await Promise.all(pages.map((page) => page.text())))];
  check(await until(async () => (await texts()).every((one) => one === text)), name, await texts());
}

async function headers(link) {
  const url = link.split('#')[0];
  const first = await fetch(url);
  check(
    first.headers.get('content-security-policy')?.startsWith("default-src 'self'"),
    'the page has a strict policy',
    [...first.headers],
  );
  const again = await fetch(url, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } });
  check(again.status === 304, 'an unchanged page is not sent again', again.status);
  const script = await fetch(url + 'app.js');
  check(script.ok && (await script.text()).length > 100000, 'the script is served', script.status);
  check((await fetch(url + 'licences.txt')).ok, 'the licences are served');
  check((await fetch(url + 'ws/none')).status >= 400, 'a socket address without an upgrade is an error');
}

async function typing(app, desk, phone) {
  const all = [app, [desk, phone]];
  await desk.type('# 网页 page 🎉\n\nfrom the desk');
  await everywhere(...all, '# 网页 page 🎉\n\nfrom the desk', 'what the first page types is everywhere');
  check(await phone.becomes('#title', '网页 page 🎉'), 'the title is the first line', await phone.words('#title'));
  await app.ask('insert', { at: 13, text: '来自应用 ' });
  await everywhere(...all, '# 网页 page 🎉\n\n来自应用 from the desk', 'what the app types is everywhere');
  await phone.tab.locator('.cm-line').last().click();
  await phone.tab.keyboard.press('Control+End');
  const keyboard = await phone.context.newCDPSession(phone.tab);
  await keyboard.send('Input.imeSetComposition', { text: 'ni hao', selectionStart: 6, selectionEnd: 6 });
  await app.ask('insert', { at: 0, text: '\n' });
  await pause(COMPOSE_MS);
  await keyboard.send('Input.insertText', { text: '你好' });
  await everywhere(...all, '\n# 网页 page 🎉\n\n来自应用 from the desk你好', 'Chinese input while others type');
  await phone.tab.keyboard.press('Control+z');
  await everywhere(...all, '\n# 网页 page 🎉\n\n来自应用 from the desk', 'undo takes back only what is one’s own');
  await app.ask('delete', { at: 0, count: 1 });
  await desk.tab.keyboard.press('Control+End');
  await desk.tab.keyboard.type('\n- [ ] one\ntwo');
  await everywhere(
    ...all,
    '# 网页 page 🎉\n\n来自应用 from the desk\n- [ ] one\n- [ ] two',
    'Enter goes on with the list',
  );
  await desk.tab.locator('.md-task').first().click();
  await everywhere(...all, '# 网页 page 🎉\n\n来自应用 from the desk\n- [x] one\n- [ ] two', 'a click ticks a box');
}

async function presence(app, desk, phone) {
  await desk.tab.click('#me');
  await desk.tab.fill('#name', 'Grace');
  await desk.tab.screenshot({ path: `${setting.screenshots}/notes-page-profile.png` });
  await desk.tab.click('#profile .primary');
  await phone.tab.click('#me');
  await phone.tab.fill('#name', '小明');
  await phone.tab.click('#profile .primary');
  const names = async () => (await app.ask('people')).people.map((one) => one.name).sort();
  check(
    await until(async () => (await names()).join() === 'Grace,小明'),
    'the app sees both pages by name',
    await names(),
  );
  const chips = () =>
    desk.tab.evaluate(() => [...document.querySelectorAll('#people .face')].map((face) => face.title).sort());
  check(
    await until(async () => (await chips()).join() === 'Ada,小明'),
    'a page sees the app and the other page',
    await chips(),
  );
  check(await desk.becomes('#present', '3 people'), 'and counts them', await desk.words('#present'));
  check(await phone.becomes('#present', '3 人'), 'in Chinese too', await phone.words('#present'));

  await app.ask('select', { anchor: 2, head: 4 });
  for (const [name, page] of [
    ['desk', desk],
    ['phone', phone],
  ]) {
    const seen = until(async () =>
      (await page.carets()).some(([flag, before]) => flag === 'Ada' && before.endsWith('# 网页')),
    );
    check(await seen, `the ${name} shows the caret of the app in its place`, await page.carets());
  }
  const end = [...(await app.text())].length;
  await app.ask('select', { anchor: end, head: end });
  const atEnd = async () =>
    (await desk.carets()).some(([flag, before]) => flag === 'Ada' && before.endsWith('- [ ] two'));
  check(await until(atEnd), 'a caret at the very end is shown', await desk.carets());
  await desk.tab.locator('.cm-content').focus();
  await desk.tab.keyboard.press('Control+Home');
  await desk.tab.keyboard.press('Shift+End');
  const line = [...'# 网页 page 🎉'].length;
  const selected = async () => (await app.ask('carets')).carets.find((one) => one.name === 'Grace');
  const right = (caret) => caret?.anchor === 0 && caret?.head === line;
  check(
    await until(async () => right(await selected())),
    'the app sees the selection of a page',
    await app.ask('carets'),
  );
}

async function reactions(app, desk, phone) {
  await phone.tab.click('#react');
  await phone.tab.locator('#emoji button').nth(2).click();
  const heard = async () => (await app.ask('reactions')).reactions.includes('🎉');
  check(await until(heard), 'the app gets the reaction of a page', await app.ask('reactions'));
  check(await until(() => desk.tab.locator('.bubble', { hasText: '🎉' }).count()), 'it floats in the other page');
  await app.ask('react', { text: '前方高能' });
  check(
    await until(() => phone.tab.locator('.bubble', { hasText: '前方高能' }).count()),
    'that of the app floats in the pages',
  );
  await phone.screenshot('page-phone-dark');
  await desk.screenshot('page-desk-light');
  check(await until(async () => (await desk.tab.locator('.bubble').count()) === 0), 'a reaction goes away by itself');
  await desk.tab.emulateMedia({ colorScheme: 'dark' });
  await phone.tab.emulateMedia({ colorScheme: 'light' });
  await desk.screenshot('page-desk-dark');
  await phone.screenshot('page-phone-light');
  for (const [name, page] of [
    ['desk', desk],
    ['phone', phone],
  ]) {
    check((await page.sideways()) <= 0, `the ${name} needs no sideways scrolling`, await page.sideways());
  }
}

async function offline(app, desk, phone) {
  for (const page of [desk, phone]) page.expectsFailures = true;
  await network('offline');
  check(await desk.becomes('#state', 'Reconnecting'), 'a page says that it is offline', await desk.words('#state'));
  await desk.tab.keyboard.press('Control+Home');
  await desk.tab.keyboard.press('ArrowDown');
  await desk.tab.keyboard.type('off');
  check(
    await desk.becomes('#state', 'Reconnecting, your 3 changes are kept'),
    'and what it keeps',
    await desk.words('#state'),
  );
  await phone.tab.locator('.cm-content').focus();
  await phone.tab.keyboard.press('Control+Home');
  await phone.tab.keyboard.press('ArrowDown');
  await phone.tab.keyboard.type('离线');
  check(await phone.becomes('#state', '正在重新连接，2 处修改已保留'), 'in Chinese too', await phone.words('#state'));
  await desk.screenshot('page-offline');
  await app.ask('insert', { at: 0, text: '# ' });
  await network('online');
  check((await desk.becomes('#state', 'Live')) && (await phone.becomes('#state', '实时')), 'both come back');
  const merged = async () => {
    const texts = [await app.text(), await desk.text(), await phone.text()];
    const second = texts[0].split('\n')[1];
    return (
      new Set(texts).size === 1 && texts[0].startsWith('# # 网页') && (second === 'off离线' || second === '离线off')
    );
  };
  check(await until(merged), 'what was typed meanwhile is everywhere', [
    await app.text(),
    await desk.text(),
    await phone.text(),
  ]);
}

/** Presence that has not changed while it was away must be told anew: its clock is the one that was taken back. */
async function quietAbsence(app, desk, phone) {
  const names = async () => (await app.ask('people')).people.map((one) => one.name).sort();
  await network('offline');
  check(await until(async () => (await names()).length === 0), 'pages that are offline are not shown', await names());
  await network('online');
  check((await desk.becomes('#state', 'Live')) && (await phone.becomes('#state', '实时')), 'they come back again');
  const seen = until(async () => (await names()).join() === 'Grace,小明', SOON_MS);
  check(await seen, 'and are seen at once', await names());
}

async function reload(desk) {
  const before = await desk.text();
  await desk.tab.reload();
  check(await desk.becomes('#state', 'Live'), 'a reloaded page is live again', await desk.words('#state'));
  check((await desk.words('#me .name')) === 'Grace', 'its name is kept', await desk.words('#me .name'));
  check(await until(async () => (await desk.text()) === before), 'and the text is there', await desk.text());
}

async function refused(browser) {
  const wrong = await Page.open(browser, setting.edit.slice(0, -4) + 'aaaa', { viewport: PHONE, locale: 'en-GB' });
  check(
    await wrong.becomes('#state', 'Refused: link no longer valid'),
    'a wrong link is refused in words',
    await wrong.words('#state'),
  );
  await pause(GIVE_UP_MS);
  check(wrong.sockets === 1, 'after one attempt', wrong.sockets);
  await wrong.screenshot('page-refused');
  const none = await Page.open(browser, setting.edit.split('#')[0], { viewport: PHONE, locale: 'zh-CN' });
  check(
    await none.becomes('#notice strong', '这里没有笔记'),
    'without a link the page says so',
    await none.words('#notice'),
  );
  await none.screenshot('page-no-link');
  return [wrong, none];
}

async function reading(browser, app, desk) {
  const reader = await Page.open(browser, setting.read, { viewport: DESKTOP, locale: 'en-US' });
  check(
    await reader.becomes('#state', 'Read-only'),
    'a reader is told so before the first key',
    await reader.words('#state'),
  );
  check((await reader.tab.getAttribute('.cm-content', 'contenteditable')) === 'false', 'and cannot type');
  await desk.tab.locator('.cm-content').focus();
  await desk.tab.keyboard.press('Control+End');
  await desk.tab.keyboard.type(' 读');
  const follows = async () => (await reader.text()).endsWith('two 读') && (await app.text()).endsWith('two 读');
  check(await until(follows), 'a reader sees what the others type', await reader.text());
  await reader.screenshot('page-reader');
  return [reader];
}

async function main(browser) {
  await headers(setting.edit);
  const app = new App(setting.app);
  const desk = await Page.open(browser, setting.edit, { viewport: DESKTOP, colorScheme: 'light', locale: 'en-US' });
  const phone = await Page.open(browser, setting.edit, {
    viewport: PHONE,
    colorScheme: 'dark',
    locale: 'zh-CN',
    hasTouch: true,
    isMobile: true,
  });
  check(await desk.becomes('#state', 'Live'), 'the page is live', await desk.words('#state'));
  check(await phone.becomes('#state', '实时'), 'on a phone in Chinese', await phone.words('#state'));
  await typing(app, desk, phone);
  await presence(app, desk, phone);
  await reactions(app, desk, phone);
  await offline(app, desk, phone);
  await quietAbsence(app, desk, phone);
  await reload(desk);
  const rest = [...(await refused(browser)), ...(await reading(browser, app, desk))];
  // Chromium itself complains about a socket that cannot be opened: that is what was tested.
  const complaints = [desk, phone, ...rest].flatMap((page) =>
    page.complaints.filter((line) => !(page.expectsFailures && /WebSocket connection to .* failed/.test(line))),
  );
  check(complaints.length === 0, 'no error in any page', complaints);
  app.process.stdin.end();
}

// Chromium refuses its own sandbox to root; the pages are ours.
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
try {
  await main(browser);
} catch (error) {
  check(false, 'without an exception', String(error.stack));
} finally {
  await browser.close();
  process.exit();
}
