// Tests one page in headless Chromium: `pages.mjs PAGE URL`. Prints `ok CHECK` or `FAIL CHECK` lines.
import { createRequire } from 'node:module';

const { chromium } = createRequire(process.env.NPM_PACKAGES + '/')('playwright-core');

const WAIT_MS = 15000;
const POLL_MS = 50;
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const ADA = 'Ada';
const MING = '小明';

function check(ok, name, detail = '') {
  console.log(`${ok ? 'ok' : 'FAIL'} ${name}${ok ? '' : ': ' + detail}`);
  if (!ok) process.exitCode = 1;
}

/** Opens tabs, collects everything that a page complains about, takes screenshots. */
class Browser {
  complaints = [];

  static async start() {
    const browser = new Browser();
    // Chromium refuses its own sandbox to root; the pages are ours.
    browser.chromium = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
    browser.context = await browser.chromium.newContext({ viewport: DESKTOP });
    return browser;
  }

  async open(url) {
    const tab = await this.context.newPage();
    tab.setDefaultTimeout(WAIT_MS);
    tab.on('pageerror', (error) => this.complaints.push(String(error)));
    tab.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(`${message.text()} ${message.location().url}`);
    });
    await tab.goto(url);
    return tab;
  }

  async screenshots(tab, name) {
    for (const [suffix, size] of [['desktop', DESKTOP], ['narrow', PHONE]]) {
      await tab.setViewportSize(size);
      await tab.screenshot({ path: `${process.env.SCREENSHOTS}/${name}-${suffix}.png` });
    }
    const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    check(overflow <= 0, 'a narrow window needs no sideways scrolling', `${overflow} px too wide`);
    await tab.setViewportSize(DESKTOP);
  }

  checkQuiet() {
    check(this.complaints.length === 0, 'no error in the console', this.complaints.join(' | '));
  }
}

/** Waits until the text of an element satisfies `predicate(text, ...values)`; false when it does not in time. */
async function becomes(tab, selector, predicate, ...values) {
  for (const deadline = Date.now() + WAIT_MS; Date.now() < deadline; await tab.waitForTimeout(POLL_MS)) {
    if (predicate(await tab.innerText(selector), ...values)) return true;
  }
  return false;
}

const has = (text, ...parts) => parts.every((part) => text.includes(part));
const hasNot = (text, part) => !text.includes(part);
const hasTime = (text) => /\d+(\.\d+)?\s*(ms|µs|us|s)\b/.test(text);
const oneLineHas = (text, ...parts) => text.split('\n').some((line) => parts.every((part) => line.includes(part)));

async function join(tab, name, room) {
  await tab.fill('#name', name);
  await tab.fill('#room', room);
  await tab.click('#join');
}

async function say(tab, message) {
  await tab.fill('#message', message);
  await tab.click('#send');
}

/** What `sender` says must reach both tabs, beside the sender's name. */
async function talk(tabs, sender, name, message) {
  await say(sender, message);
  for (const [reader, tab] of Object.entries(tabs)) {
    const seen = await becomes(tab, '#log', oneLineHas, name, message);
    check(seen, `${reader} reads ${JSON.stringify(message)} of ${name}`, await tab.innerText('#log'));
  }
}

async function chat(browser, url) {
  const ada = await browser.open(url);
  const ming = await browser.open(url);
  const stranger = await browser.open(url);
  const tabs = { [ADA]: ada, [MING]: ming };
  check((await ada.title()) !== '', 'the page has a title');

  await join(ada, ADA, '大厅 lobby');
  check(await becomes(ada, '#people', has, ADA), `${ADA} sees herself`);
  await join(stranger, 'Eve', 'elsewhere');
  await join(ming, MING, '大厅 lobby');
  for (const [name, tab] of Object.entries(tabs)) {
    check(await becomes(tab, '#people', has, ADA, MING), `${name} sees both names`, await tab.innerText('#people'));
  }

  await talk(tabs, ada, ADA, 'Hello, 世界');
  await talk(tabs, ming, MING, '你好 Ada 🚀');
  await talk(tabs, ada, ADA, '<b id="markup">a & b</b>');
  check((await ming.locator('#markup').count()) === 0, 'markup in a message stays text');
  const elsewhere = (await stranger.innerText('#log')) + (await stranger.innerText('#people'));
  check(!elsewhere.includes(ADA) && !elsewhere.includes('世界'), 'another room hears nothing', elsewhere);

  for (const [name, tab] of Object.entries(tabs)) {
    check(await becomes(tab, '#rtt', hasTime), `${name} sees the round trip time`, await tab.innerText('#rtt'));
  }
  await browser.screenshots(ada, 'chat');
  await ming.close();
  check(await becomes(ada, '#people', hasNot, MING), `${MING} leaves the list`, await ada.innerText('#people'));
  check(await becomes(ada, '#people', has, ADA), `${ADA} stays in the list`, await ada.innerText('#people'));
  browser.checkQuiet();
}

const LINES = 3;
const DAY_S = 86400;
const hasLines = (text, count) => text.split('\n').filter((line) => line.trim() !== '').length >= count;

/** The seconds of the day that a line shows as `hh:mm:ss`; NaN when it shows none. */
function secondsOfDay(line) {
  const [, hours, minutes, seconds] = line.match(/(\d{1,2}):(\d{2}):(\d{2})/) ?? [];
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

async function timePush(browser, url) {
  const tab = await browser.open(url);
  check(await becomes(tab, '#log', hasLines, LINES), `${LINES} lines are pushed`, await tab.innerText('#log'));
  const times = (await tab.innerText('#log')).split('\n').filter((line) => line.trim() !== '').map(secondsOfDay);
  // Midnight may pass between two lines: a step forward is less than half a day.
  const ordered = times.slice(1).every((time, index) => (time - times[index] + DAY_S) % DAY_S < DAY_S / 2);
  check(ordered, 'every line shows a time, in order', times.join(' '));
  await browser.screenshots(tab, 'time_push');
  browser.checkQuiet();
}

async function danmaku(browser, url) {
  const [ada, ming] = [await browser.open(url), await browser.open(url)];
  const tabs = { [ADA]: ada, [MING]: ming };
  for (const [name, tab] of Object.entries(tabs)) {
    check(await becomes(tab, '#viewers', has, '2'), `${name} sees that two are watching`, await tab.innerText('#viewers'));
  }
  const comments = ['前方高能！！！', 'Hello, 世界 🚀', '<b id="markup">a & b</b>'];
  for (const comment of comments) {
    await ada.fill('#comment', comment);
    await ada.click('#send');
    for (const [name, tab] of Object.entries(tabs)) {
      check(await becomes(tab, '#stage', oneLineHas, comment), `${name} sees ${comment} float`, await tab.innerText('#stage'));
    }
  }
  check((await ming.locator('#markup').count()) === 0, 'markup in a comment stays text');
  for (const text of ['哈哈哈哈哈哈', '第一次来', 'nice shot', '好听', '2333333']) {
    await ming.fill('#comment', text);
    await ming.click('#send');
  }
  await becomes(ada, '#stage', has, '2333333');
  const tops = await ada.$$eval('#stage p', (all) => all.map((one) => one.style.top));
  check(new Set(tops).size > 1, 'comments that come together float in different lanes', tops.join(' '));
  await ada.waitForTimeout(FLOAT_A_WHILE_MS);
  await browser.screenshots(ada, 'danmaku');
  check(await becomes(ada, '#stage', (text) => text.trim() === ''), 'a comment that has crossed the stage is removed');
  await ming.close();
  check(await becomes(ada, '#viewers', has, '1'), 'who has gone is not counted', await ada.innerText('#viewers'));
  browser.checkQuiet();
}

/** Only for the screenshot: until the comments have come into view. */
const FLOAT_A_WHILE_MS = 2500;

const current = (tab) => tab.innerText('#states [aria-current]');

async function readyState(browser, url) {
  const tab = await browser.open(url);
  check(await becomes(tab, '#states [aria-current]', has, 'OPEN'), 'it becomes OPEN', await current(tab));
  await tab.fill('#code', '1001');
  await tab.click('#close');
  check(await becomes(tab, '#detail', has, '1001') && (await current(tab)) === 'OPEN', 'a code that pages may not use is refused');

  await tab.fill('#code', '3001');
  await tab.fill('#reason', '再见 bye');
  await tab.click('#close');
  const closed = 'code 3001, reason “再见 bye”, clean';
  check(await becomes(tab, '#detail', has, closed), 'its own close shows code and reason', await tab.innerText('#detail'));
  const states = (await tab.innerText('#log')).split('\n').map((line) => line.split(' ')[0]).reverse();
  check(states.join(' ') === 'CONNECTING OPEN CLOSING CLOSED', 'it went through all four states', states.join(' '));

  await tab.click('#connect');
  await tab.click('#ask');
  const asked = 'code 4001, reason “you asked for it”, clean';
  check(await becomes(tab, '#detail', has, asked), 'the close of the server too', await tab.innerText('#detail'));

  await tab.click('#connect');
  check(await becomes(tab, '#states [aria-current]', has, 'OPEN'), 'it connects again', await current(tab));
  const leaving = await browser.open(url);
  check(await becomes(leaving, '#states [aria-current]', has, 'OPEN'), 'a second page is OPEN', await current(leaving));
  await leaving.goto('about:blank');
  const left = (text) => text.split('\n').some((line) => /server \S+ CLOSED 100[01]/.test(line));
  check(await becomes(tab, '#server', left), 'a page that is left closes', await tab.innerText('#server'));
  await browser.screenshots(tab, 'ready_state');
  browser.checkQuiet();
}

const hasRows = (text, ...symbols) => (text.match(/^[A-Z]+/gm) ?? []).join(' ') === symbols.join(' ');
const isPrice = (text) => /^\d+\.\d\d$/.test(text);

async function quotes(browser, url) {
  const tab = await browser.open(url);
  check(await becomes(tab, '#quotes', hasRows, 'OAK'), 'it begins with one symbol', await tab.innerText('#quotes'));
  await tab.getByLabel('ELM').check();
  await tab.getByLabel('YEW').check();
  check(await becomes(tab, '#quotes', hasRows, 'OAK', 'ELM', 'YEW'), 'symbols are added', await tab.innerText('#quotes'));
  for (const row of [1, 2, 3]) {
    const cell = `#quotes tr:nth-child(${row}) td`;
    check(await becomes(tab, cell, isPrice), `row ${row} has a price`, await tab.innerText(cell));
    const first = await tab.innerText(cell);
    check(await becomes(tab, cell, (text) => text !== first), `the price of row ${row} moves`, first);
  }
  const drawn = (text) => text.split(' ').length > 20;
  let points = '';
  for (const deadline = Date.now() + WAIT_MS; !drawn(points) && Date.now() < deadline; await tab.waitForTimeout(POLL_MS)) {
    points = (await tab.getAttribute('#quotes polyline', 'points')) ?? '';
  }
  check(drawn(points), 'the last ticks are drawn', points);
  await tab.getByLabel('ELM').uncheck();
  check(await becomes(tab, '#quotes', hasRows, 'OAK', 'YEW'), 'a symbol is taken off', await tab.innerText('#quotes'));
  await browser.screenshots(tab, 'quotes');
  browser.checkQuiet();
}

async function onePort(browser, url) {
  const tab = await browser.open(url);
  check(await becomes(tab, '#status', has, '1 connected'), 'the page gets its status by HTTP', await tab.innerText('#status'));
  for (const [button, text] of [['Send by WebSocket', '你好 WebSocket'], ['Send by HTTP', '<i id="markup">HTTP</i>']]) {
    await tab.fill('#text', text);
    await tab.getByText(button).click();
    check(await becomes(tab, '#log', oneLineHas, text), `${button}: it comes back`, await tab.innerText('#log'));
  }
  check((await tab.locator('#markup').count()) === 0, 'markup in a message stays text');
  await browser.screenshots(tab, 'one_port');
  browser.checkQuiet();
}

const TESTS = { chat, time_push: timePush, danmaku, ready_state: readyState, quotes, one_port: onePort };

const [test, url] = process.argv.slice(2);
const browser = await Browser.start();
try {
  await TESTS[test](browser, url);
} catch (error) {
  check(false, `${test} without an exception`, String(error));
} finally {
  await browser.chromium.close();
}
