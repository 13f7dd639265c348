// Tests one page in headless Chromium: `pages.mjs chat|time_push URL`. Prints `ok CHECK` or `FAIL CHECK` lines.
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

const [test, url] = process.argv.slice(2);
const browser = await Browser.start();
try {
  await (test === 'chat' ? chat : timePush)(browser, url);
} catch (error) {
  check(false, `${test} without an exception`, String(error));
} finally {
  await browser.chromium.close();
}
