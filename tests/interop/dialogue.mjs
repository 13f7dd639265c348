// What the JavaScript peers share: the messages of the dialogue in README.md, and how a check is told.

export const MAX_MESSAGE = 16 * 1024 * 1024;
export const COMPRESSED = (process.env.COMPRESSION ?? 'none') !== 'none';
const SIZES = [0, 1, 125, 126, 127, 65535, 65536, 1000003];
const STEP_MS = 20000;
const CHINESE = Buffer.from('网');

/** Text of exactly `size` bytes: three-byte characters, then ASCII for the rest. */
function text(size) {
  return Buffer.concat([Buffer.alloc(size - (size % 3), CHINESE), Buffer.alloc(size % 3, 'x')]);
}

function binary(size) {
  return Buffer.from({ length: size }, (_, index) => (index * 7 + size) & 0xff);
}

/** Each message: its name, whether it is binary, and its payload. */
export function* messages() {
  for (const [kind, make] of [['text', text], ['binary', binary]]) {
    for (const size of SIZES) yield [`${kind} of ${size} bytes`, kind === 'binary', make(size)];
  }
}

export function check(ok, name) {
  console.log(`${ok ? 'ok' : 'FAIL'} ${name}`);
  if (!ok) process.exit(1);
}

/** The arguments of the next `event`, for which `subscribe(event, callback)` asks; without it the process fails. */
export function next(subscribe, event) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => check(false, `${event} within ${STEP_MS} ms`), STEP_MS);
    subscribe(event, (...values) => {
      clearTimeout(timer);
      resolve(values);
    });
  });
}
