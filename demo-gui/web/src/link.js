// The link that led here: `#<note>.<token>`. A fragment never leaves the browser, so no log holds the token.

const LINK = /^#([\w-]{1,128})\.([\w-]{1,128})$/;

/** `{ note, token }`, or null when the address has no such fragment. */
export function readLink(location) {
  const match = LINK.exec(location.hash);
  return match && { note: match[1], token: match[2] };
}

/** Where the socket is: the same host and port as the page. */
export function socketUrl(location) {
  return `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/ws`;
}

/** The token travels as a subprotocol: browsers let a page set no other header. */
export function subprotocols(token) {
  return ['libws-notes.v1', `auth.${token}`];
}
