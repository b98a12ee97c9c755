/**
 * The wire as a browser sees it: pure functions, no connection.
 *
 * @typedef {{ run: string, seq: number, type: string, at: string, data: any }} Envelope
 *   An event; `at` is RFC 3339 in UTC.
 * @typedef {{ id?: string, event: string, data?: string, retry?: number }} Block
 * @typedef {{ end: "over" | "refused" | "lost", reason: string, code?: number, wait?: number }}
 *   Outcome How a connection ended. Only a lost one is tried again, after `wait`
 *   milliseconds at least.
 */

const FIRST_WAIT = 500; // milliseconds: ceiling of the first wait; it doubles with each try
const LONGEST_WAIT = 20_000; // milliseconds
const LATER = [408, 425, 429]; // HTTP statuses below 500 that may be another one next time
const REFUSED = [4400, 4401, 4403, 4404]; // close codes
const GOING_AWAY = [1012, 4012]; // close codes of a server that stops
const SPREAD = 6_000; // milliseconds over which its clients come back

/**
 * Milliseconds to wait after some tries without success: anything up to a ceiling
 * that doubles, so that the watchers of a restarted server come back spread out.
 *
 * @param {number} failures 0, 1, …
 * @param {() => number} [random] from 0 up to 1
 */
export function backoff(failures, random = Math.random) {
  return random() * Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures);
}

/**
 * The complete blocks at the head of an event stream, and the text that is left over.
 * (HTML Standard, 9.2.6 "Interpreting an event stream"; comments are dropped.)
 *
 * @param {string} text what was left over before, and what has come since
 * @returns {{ blocks: Block[], rest: string }}
 */
export function parseEventStream(text) {
  const blocks = [];
  let lines = [];
  let line = 0; // where the current line begins
  let rest = 0; // where the first incomplete block begins
  for (const end of text.matchAll(/\r\n|\n|\r/g)) {
    const next = end.index + end[0].length;
    if (end.index > line) {
      lines.push(text.slice(line, end.index));
    } else {
      // A CR LF torn apart makes one more empty line here: no lines, so no block.
      if (lines.length) blocks.push(readBlock(lines));
      lines = [];
      rest = next;
    }
    line = next;
  }
  return { blocks, rest: text.slice(rest) };
}

/** @param {string[]} lines @returns {Block} */
function readBlock(lines) {
  /** @type {Block} */
  const block = { event: "message" };
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") block.data = block.data === undefined ? value : `${block.data}\n${value}`;
    else if (name === "event") block.event = value || "message";
    else if (name === "id" && !value.includes("\0")) block.id = value;
    else if (name === "retry" && /^[0-9]+$/.test(value)) block.retry = Number(value);
  }
  return block;
}

/**
 * What an answer that is no event stream means. 204: nothing is left to send.
 *
 * @param {number} status @param {string | null} [retryAfter] in seconds
 * @returns {Outcome}
 */
export function outcomeOfStatus(status, retryAfter) {
  const reason = `HTTP ${status}`;
  if (status === 204) return { end: "over", reason };
  if (status < 500 && !LATER.includes(status)) return { end: "refused", reason, code: status };
  return { end: "lost", reason, wait: (Number(retryAfter) || 0) * 1000 };
}

/**
 * What the closing of a WebSocket means. 1000: the run has finished.
 *
 * @param {number} code @param {string} [text]
 * @param {() => number} [random] from 0 up to 1
 * @returns {Outcome}
 */
export function outcomeOfClose(code, text, random = Math.random) {
  const reason = `closed with ${code}${text ? ` (${text})` : ""}`;
  if (code === 1000) return { end: "over", reason };
  if (REFUSED.includes(code)) return { end: "refused", reason, code };
  if (!GOING_AWAY.includes(code)) return { end: "lost", reason };
  return { end: "lost", reason, wait: random() * SPREAD };
}
