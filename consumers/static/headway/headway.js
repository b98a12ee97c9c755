/**
 * Headway in the browser: watch a run of a task live, over Server-Sent Events or WebSocket.
 *
 *     import { watch } from "./headway.js";
 *
 *     const run = watch("0197a3c4-5d6e-7f80-9a1b-2c3d4e5f6071");
 *     run.on("progress", ({ data }) => { bar.value = data.done / data.total; });
 *     const { status, return_value } = await run.result;
 *
 * Every event arrives once and in order, whatever happens to the connection: the
 * watch knows the number of the last event it had and asks for what follows.
 *
 * From the bottom up: the wire (pure functions), the transports (one connection each), the
 * link (one connection after another), the share (one link for several tabs), the watch.
 * The public names and their types stand in headway.d.ts; the other exports are for tests.
 *
 * @typedef {import("./headway.d.ts").RunEvent} RunEvent
 * @typedef {import("./headway.d.ts").Change} Change
 * @typedef {import("./headway.d.ts").Finished} Finished
 * @typedef {import("./headway.d.ts").State} State
 * @typedef {import("./headway.d.ts").WatchOptions} WatchOptions
 * @typedef {"sse" | "websocket"} Kind
 * @typedef {number | "latest"} Cursor
 *   The seq of the last event had, or: begin with the run's current state.
 * @typedef {object} Outcome How a connection ended. Only a lost one is tried again.
 * @property {"over" | "refused" | "lost"} end
 * @property {string} reason
 * @property {number} [code] an HTTP status or a close code
 * @property {number} [wait] milliseconds to wait at least
 * @property {boolean} [told] the server wants nobody before that, whatever happens here
 * @property {boolean} [soon] there is nothing to wait for, if it was a good connection
 * @property {boolean} [answered] the server said so itself, so the way to it is good
 * @property {boolean} [off] the server may not offer this transport
 */

// ---------------------------------------------------------------------------------------
// The wire: pure functions, no connection.

const FIRST_WAIT = 500; // milliseconds: ceiling of the first wait; it doubles with each try
const LONGEST_WAIT = 20_000; // milliseconds
const LONGEST_TOLD = 300_000; // milliseconds that a server may have us wait
const LATER = [408, 425, 429]; // HTTP statuses below 500 that may be another one next time
const REFUSED = [4400, 4401, 4403, 4404, 4413]; // close codes
const TOO_SLOW = 4408; // close code: we did not read, and may go on at once
const TOO_MANY = 4429; // close code of a server that is full
const FULL = [1_000, 5_000]; // milliseconds: it has us wait so long, as with Retry-After, and so much more
const GOING_AWAY = [1012, 4012]; // close codes of a server that stops
const SPREAD = 6_000; // milliseconds over which its clients come back
const ENDED = ["SUCCESSFUL", "FAILED", "CANCELLED"]; // of a run that has finished

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
 * (HTML Standard, 9.2.6 "Interpreting an event stream"; comments are dropped but for the one
 * that tells how often there are signs of life, in seconds.)
 *
 * @typedef {{ id?: string, event: string, data?: string, retry?: number, heartbeat?: number }} Block
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
    else if (!name && /^heartbeat [0-9.]+$/.test(value)) block.heartbeat = Number(value.slice(10));
  }
  return block;
}

/** @param {string} reason @param {number} [wait] @returns {Outcome} */
function lost(reason, wait) {
  return { end: "lost", reason, ...(wait && { wait }) };
}

/**
 * What an answer that is no event stream means. 204: nothing is left to send.
 *
 * @param {number} status @param {string | null} [retryAfter] in seconds, or a moment
 * @param {{ code?: string, message?: string }} [error] as the server tells it
 * @returns {Outcome}
 */
export function outcomeOfStatus(status, retryAfter, error) {
  const reason = `HTTP ${status}${error?.message ? `: ${error.message}` : ""}`;
  if (status === 204) return { end: "over", reason };
  if (status < 500 && !LATER.includes(status)) {
    // A transport that is switched off says so with another code than a run that is not there.
    const off = status === 404 && !!error?.code && error.code !== "no_such_run";
    return { end: "refused", reason, code: status, off };
  }
  const asked = Number(retryAfter) * 1000 || Date.parse(retryAfter ?? "") - Date.now();
  const wait = Math.min(Math.max(asked || 0, 0), LONGEST_TOLD);
  return { ...lost(reason, wait), answered: true, told: wait > 0 };
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
  if (code === TOO_SLOW) return { ...lost(reason), soon: true };
  if (code === TOO_MANY) return { ...lost(reason, FULL[0] + random() * FULL[1]), told: true };
  if (!GOING_AWAY.includes(code)) return lost(reason);
  return { end: "lost", reason, wait: random() * SPREAD };
}

// ---------------------------------------------------------------------------------------
// The way to a run: its addresses, and what goes along with a request.

const RUN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const SUBPROTOCOL = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/; // what a browser takes for one

/** Where a run is, and how to go there. A secret goes into a header, never into an address. */
class Route {
  /** @type {URL | null} */ events = null;
  /** @type {URL | null} */ socket = null;
  /** @type {Cursor} */ after;
  /** Transports that have carried this watch already. @type {Set<Kind>} */ worked = new Set();

  /** @param {string | URL} target @param {WatchOptions} options */
  constructor(target, { transport = "auto", after, token, socket, base = "/", ...options }) {
    if (!["auto", "sse", "websocket"].includes(transport)) {
      throw new TypeError(`No such transport: ${transport}`);
    }
    const here = globalThis.document?.baseURI ?? location.href;
    const named = RUN_ID.test(String(target));
    const url = named
      ? new URL(`tasks/${target}/events/`, new URL(base, here))
      : new URL(target, here);
    const isSocket = url.protocol.startsWith("ws")
      || (transport === "websocket" && !url.pathname.endsWith("/events/"));
    this.after = after ?? cursorIn(url.searchParams.get("after"));
    url.searchParams.delete("after"); // the cursor is ours to move on
    if (isSocket) this.socket = url;
    else this.events = url;
    if (socket) this.socket = new URL(socket, here);
    this.transport = transport;
    this.token = token;
    this.heartbeat = (options.heartbeat ?? 15) * 1000;
    /** @type {RequestCredentials} */
    this.credentials = options.credentials ?? "same-origin";
    /** In order of preference. @type {Kind[]} */
    this.kinds = transport !== "auto" ? [transport] : this.events ? ["sse", "websocket"] : ["websocket"];
    if (this.kinds[0] === "sse" && !this.events) throw new TypeError(`No event stream: ${url}`);
  }

  /** @returns {Promise<string | undefined>} */
  async secret() {
    return typeof this.token === "function" ? this.token() : this.token;
  }

  /** @param {string | undefined} token @returns {Record<string, string>} */
  headers(token) {
    return token ? { Authorization: `Bearer ${token}` } : {};
  }

  /**
   * The run's socket; where only its events are known, the run says where that is.
   *
   * @param {string | undefined} token @param {AbortSignal} signal
   */
  async socketAddress(token, signal) {
    if (!this.socket) {
      const events = /** @type {URL} */ (this.events);
      const run = new URL("..", events);
      const headers = { Accept: "application/json", ...this.headers(token) };
      const { credentials } = this;
      const answer = await fetch(run, { headers, signal, credentials, cache: "no-store" });
      if (answer.status >= 500) throw new Error(`HTTP ${answer.status}`);
      const links = answer.ok ? (await answer.json()).links : {};
      this.socket = new URL(links.websocket ?? `/ws${run.pathname}`, run);
      this.socket.search = events.search; // what the page's author has put there
    }
    return this.socket;
  }
}

/** @param {string | null} text @returns {Cursor} */
function cursorIn(text) {
  return text === "latest" ? text : Number(text) || 0;
}

// ---------------------------------------------------------------------------------------
// The transports. Each makes one connection; who calls it tries again.

/**
 * @typedef {object} Sink Where a transport puts what it receives.
 * @property {AbortSignal} signal to hang up
 * @property {string | undefined} token
 * @property {() => unknown} heard any sign of life
 * @property {(seconds: number) => void} beats how often there is one, as the server says
 * @property {(texts: string[]) => Outcome | undefined} events an outcome means: hang up
 * @typedef {(route: Route, after: Cursor, sink: Sink) => Promise<Outcome>} Transport
 *   One connection, until it ends; may throw where it is lost.
 */

/** @type {Transport} */
async function sse(route, after, { signal, token, heard, beats, events }) {
  const url = new URL(/** @type {URL} */ (route.events));
  const headers = { Accept: "text/event-stream", ...route.headers(token) };
  // Another origin is asked for its leave first for a header, and not for an address.
  if (after === "latest" || (after && url.origin !== location.origin)) {
    url.searchParams.set("after", String(after));
  } else if (after) {
    Object.assign(headers, { "Last-Event-ID": String(after) });
  }
  const { credentials } = route;
  const response = await fetch(url, { headers, signal, credentials, cache: "no-store" });
  const type = response.headers.get("Content-Type") ?? "";
  if (response.status !== 200 || !response.body || !type.startsWith("text/event-stream")) {
    const body = type.startsWith("application/json") ? await response.json().catch(() => null) : null;
    return outcomeOfStatus(response.status, response.headers.get("Retry-After"), body?.error);
  }
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let wait = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return lost("the stream was cut", wait);
    heard();
    const { blocks, rest } = parseEventStream(text + decoder.decode(value, { stream: true }));
    text = rest;
    const found = [];
    for (const { data, retry, heartbeat } of blocks) {
      wait = retry ?? wait;
      if (heartbeat) beats(heartbeat);
      if (data !== undefined) found.push(data);
    }
    const outcome = found.length ? events(found) : undefined;
    if (outcome) return { ...outcome, wait };
  }
}

/** @type {Transport} */
async function webSocket(route, after, { signal, token, heard, events }) {
  if (token && !SUBPROTOCOL.test(token)) {
    return { end: "refused", reason: "the token cannot be a WebSocket's subprotocol", off: true };
  }
  const address = new URL(await route.socketAddress(token, signal));
  address.protocol = address.protocol.replace("http", "ws");
  if (after) address.searchParams.set("after", String(after));
  address.searchParams.set("batch", "1"); // many events in a frame, one a line
  signal.throwIfAborted();
  return new Promise((resolve) => {
    const socket = new WebSocket(address, token ? ["headway", `headway.grant.${token}`] : []);
    const pings = setInterval(() => {
      // The answer is a sign of life, as the question is to the server.
      if (socket.readyState === WebSocket.OPEN) socket.send('{"op":"ping"}');
    }, route.heartbeat);
    socket.onopen = heard;
    socket.onmessage = ({ data }) => {
      heard();
      const outcome = data.startsWith('{"op"') ? undefined : events(data.split("\n"));
      if (outcome) resolve(outcome);
    };
    socket.onclose = ({ code, reason }) => {
      clearInterval(pings);
      resolve(outcomeOfClose(code, reason));
    };
    signal.addEventListener("abort", () => socket.close());
  });
}

/** @type {Record<Kind, Transport>} */
const TRANSPORTS = { sse, websocket: webSocket };

// ---------------------------------------------------------------------------------------
// Places: over HTTP/1.1 a browser opens six connections to a host, for all of its tabs.

const PLACES = 4; // streams at once; the others are for the pages themselves

/**
 * Hold a lock of the browser's; resolves with what releases it, or null if it is not free.
 *
 * @param {string} name @param {LockOptions} options @returns {Promise<(() => void) | null>}
 */
function hold(name, options) {
  return new Promise((resolve, reject) => {
    const held = (/** @type {Lock | null} */ lock) => {
      if (!lock) return resolve(null);
      return new Promise((release) => resolve(() => release(undefined)));
    };
    navigator.locks.request(name, options, held).catch(reject);
  });
}

/**
 * A place for one more event stream to a host; null if all are taken and nobody waits.
 *
 * @param {URL} url @param {AbortSignal | null} waiting until when to wait for one
 */
async function takePlace(url, waiting) {
  const [page] = performance.getEntriesByType("navigation");
  const protocol = /** @type {PerformanceNavigationTiming | undefined} */ (page)?.nextHopProtocol;
  const many = url.origin === location.origin && /^h[23]/.test(protocol ?? "");
  if (many || !navigator.locks) return () => {};
  const names = Array.from({ length: PLACES }, (_, place) => `headway:${url.host}:${place}`);
  for (const name of names) {
    const release = await hold(name, { ifAvailable: true });
    if (release) return release;
  }
  if (!waiting) return null;
  const any = names[Math.floor(Math.random() * PLACES)];
  return hold(any, { signal: waiting }).catch(() => null); // it is over
}

// ---------------------------------------------------------------------------------------
// The link: one connection after another, until one ends that is not merely lost.

const STEADY = 5_000; // milliseconds: a connection that lasted so long was a good one
const OPENING = 10_000; // milliseconds in which something must be heard
const MISSED = 2.5; // heartbeats: then the connection is lost
const TRIES = 3; // of a transport that has worked, before the other has its turn

/**
 * @typedef {object} LinkHooks
 * @property {(events: RunEvent[]) => void} events those that follow, in order, with no hole
 * @property {(event: RunEvent) => void} snapshot
 * @property {() => void} repeated an event came a second time
 * @property {() => void} heard
 * @property {(change: Partial<Change>) => void} change
 * @property {(outcome: Outcome) => void} end
 */

class Link {
  /** @type {Kind} */ kind = "sse";

  #closed = false;
  #failures = 0; // since the last good connection
  #blind = 0; // of these, those in a row in which this transport reached nobody
  #opened = 0; // when the present connection opened; 0: not yet
  #heard = 0;
  #limit = 0; // milliseconds of silence that are too many
  #until = 0; // when the server wants us again
  #patient = false; // the other transport is no good, so a place is worth waiting for
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #alarm;
  /** @type {(outcome: Outcome) => void} */ #cut = () => {};
  #wake = () => {};

  #route;
  #at;
  #hooks;

  /** @param {Route} route @param {Cursor} after @param {LinkHooks} hooks */
  constructor(route, after, hooks) {
    this.#route = route;
    this.#at = after;
    this.#hooks = hooks;
    void this.#run();
  }

  /** Hang up for good; nothing more comes. */
  close() {
    this.#closed = true;
    this.#cut(lost("closed"));
    this.#wake();
  }

  /**
   * Something has changed about the page or its network: look whether all is well.
   *
   * @param {boolean} anew whether an open connection must be one of before
   */
  nudge(anew) {
    if (Date.now() >= this.#until) this.#wake();
    const silent = Date.now() - this.#heard;
    if (this.#opened && (anew || silent > this.#route.heartbeat * 1.5)) {
      this.#failures = 0;
      this.#cut(lost("the network has changed"));
    }
  }

  async #run() {
    while (!this.#closed) {
      const before = this.#at;
      const outcome = await this.#connect();
      if (this.#closed) return;
      const lasted = this.#opened && Date.now() - this.#opened;
      const good = this.#at !== before || lasted > STEADY;
      if (outcome.end === "over" || (outcome.end === "refused" && !this.#otherWay(outcome, good))) {
        return this.#hooks.end(outcome);
      }
      if (good) this.#failures = 0;
      if (!this.#opened && !outcome.answered) this.#turn();
      const pause = this.#pause(outcome, good);
      const wait = navigator.onLine ? pause : Math.max(pause, LONGEST_WAIT); // or until it is online again
      this.#opened = 0;
      this.#hooks.change({ state: "reconnecting", reason: outcome.reason, wait });
      await this.#rest(wait);
    }
  }

  /** @param {Outcome} outcome @param {boolean} good @returns {number} milliseconds */
  #pause({ wait = 0, told, soon }, good) {
    if (soon && good) return 0;
    this.#until = told ? Date.now() + wait : 0;
    // A server that is full and says so is none that fails: the spread grows with its word alone.
    if (told) return wait + Math.random() * Math.min(Math.max(wait, FIRST_WAIT), LONGEST_WAIT);
    return wait + backoff(this.#failures++);
  }

  /** @param {number} wait */
  async #rest(wait) {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, wait);
      this.#wake = () => { clearTimeout(timer); resolve(undefined); };
    });
    this.#wake = () => {};
  }

  /** @returns {Promise<Outcome>} */
  async #connect() {
    const hangUp = new AbortController();
    /** @type {Promise<Outcome>} */
    const cut = new Promise((resolve) => { this.#cut = resolve; });
    try {
      return await Promise.race([this.#attempt(hangUp.signal), cut]);
    } catch (error) {
      return lost(String(error));
    } finally {
      clearTimeout(this.#alarm);
      hangUp.abort();
    }
  }

  /** @param {AbortSignal} signal @returns {Promise<Outcome>} */
  async #attempt(signal) {
    const release = await this.#choose(signal);
    try {
      const token = await this.#route.secret();
      signal.throwIfAborted();
      this.#expect(OPENING);
      return await TRANSPORTS[this.kind](this.#route, this.#at, {
        signal,
        token,
        // What was on its way when this was hung up is the next connection's to bring.
        heard: () => signal.aborted || this.#hear(),
        beats: (seconds) => signal.aborted || this.#beats(seconds),
        events: (texts) => (signal.aborted ? lost("hung up") : this.#take(texts)),
      });
    } finally {
      release();
    }
  }

  /** Set the transport of the next connection. @param {AbortSignal} signal */
  async #choose(signal) {
    const { kinds, events } = this.#route;
    this.kind = kinds[0];
    if (!events || this.kind !== "sse") return () => {};
    const only = kinds.length === 1;
    const soon = () => AbortSignal.any([signal, AbortSignal.timeout(OPENING)]);
    const release = await takePlace(events, only ? signal : this.#patient ? soon() : null);
    if (!release) this.kind = "websocket";
    return release ?? (() => {});
  }

  /** The way was a bad one: perhaps the other is better. */
  #turn() {
    const { kinds, worked } = this.#route;
    this.#blind += 1;
    if (this.kind === "websocket") this.#patient = !worked.has("websocket");
    if (this.#blind < (worked.has(this.kind) ? TRIES : 1)) return;
    this.#blind = 0;
    if (this.kind === kinds[0]) kinds.push(/** @type {Kind} */ (kinds.shift()));
  }

  /**
   * Whether a refusal leaves something to try: the other transport, where one is not offered,
   * or a new token, where one has been good until now.
   *
   * @param {Outcome} outcome @param {boolean} good
   */
  #otherWay({ code, off }, good) {
    const { kinds, token } = this.#route;
    if (good && typeof token === "function" && (code === 401 || code === 4401)) return true;
    if (!off || kinds.length === 1) return false;
    this.#route.kinds = kinds.filter((kind) => kind !== this.kind);
    return true;
  }

  #hear() {
    this.#heard = Date.now();
    if (!this.#opened) {
      this.#opened = this.#heard;
      this.#blind = 0;
      this.#route.worked.add(this.kind);
      this.#expect(this.#route.heartbeat * MISSED);
      this.#hooks.change({ state: "live", transport: this.kind });
    }
    this.#hooks.heard();
  }

  /** @param {number} seconds */
  #beats(seconds) {
    this.#route.heartbeat = seconds * 1000;
    this.#expect(this.#route.heartbeat * MISSED);
  }

  /** From now on, so many milliseconds of silence are the end. @param {number} limit */
  #expect(limit) {
    this.#limit = limit;
    this.#heard = Date.now();
    const look = () => {
      clearTimeout(this.#alarm);
      const left = this.#heard + this.#limit - Date.now();
      if (left > 0) this.#alarm = setTimeout(look, left);
      else this.#cut(lost(`nothing heard for ${Math.round(this.#limit / 1000)} s`));
    };
    look();
  }

  /** @param {string[]} texts @returns {Outcome | undefined} */
  #take(texts) {
    if (this.#closed) return lost("closed");
    const events = [];
    /** @type {Outcome | undefined} */ let outcome;
    for (const text of texts) {
      /** @type {RunEvent} */ let event;
      try {
        event = JSON.parse(text);
      } catch {
        outcome = lost("an event that is no JSON");
        break;
      }
      if (this.#at === "latest") {
        outcome = this.#begin(event);
        if (outcome) break;
      } else if (event.seq <= this.#at) {
        this.#hooks.repeated();
      } else if (event.seq > this.#at + 1) {
        outcome = lost(`no event ${this.#at + 1}`);
        break;
      } else {
        this.#at = event.seq;
        events.push(event);
      }
    }
    if (events.length) this.#hooks.events(events);
    if (events.at(-1)?.type === "finished") return { end: "over", reason: "finished" };
    return outcome;
  }

  /** The run's state instead of its history. @param {RunEvent} event @returns {Outcome | undefined} */
  #begin(event) {
    this.#at = event.seq;
    this.#hooks.snapshot(event);
    return ENDED.includes(event.data?.status) ? { end: "over", reason: "finished" } : undefined;
  }
}

// ---------------------------------------------------------------------------------------
// The share: tabs that watch the same thing. The one that holds the lock leads: it has the
// connection, and tells the others what comes. When it closes, the lock is another's, which
// goes on behind the last event it was told.

const HELLO = 1_000; // milliseconds in which a leader answers
const FAREWELL = 500; // milliseconds for the others to hear of the end before one leads them

/**
 * The name under which equal watches meet; null where they cannot, or shall not.
 *
 * @param {Route} route @param {boolean | string} share
 */
async function meetingPlace(route, share) {
  // Locks and digests are for secure contexts: https, and this very machine.
  if (share === false || !navigator.locks || !globalThis.BroadcastChannel) return null;
  const named = typeof share === "string";
  if (typeof route.token === "function" && !named) return null;
  const parts = [String(route.events ?? route.socket), route.transport];
  parts.push(named ? share : `${route.token ?? ""} ${route.credentials}`);
  // A digest, since a name of a lock is to be read by every script of the origin.
  const bytes = new TextEncoder().encode(parts.join("\n"));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = Array.from(digest.slice(0, 16), (byte) => byte.toString(16).padStart(2, "0"));
  return `headway:${hex.join("")}`;
}

/**
 * @typedef {object} Word What one tab says to the others. A leader's always has where it is, and how.
 * @property {boolean} [hello]
 * @property {number | null} [seq]
 * @property {Partial<Change>} [change]
 * @property {number} [silence] milliseconds in which the leader says something
 * @property {RunEvent[]} [events]
 * @typedef {object} ShareHooks
 * @property {() => Word} word where this tab is, and how
 * @property {() => void} lead it is the leader from now on
 * @property {(word: Word) => void} told by the leader
 * @property {() => void} alone there is no leader to be heard
 */

class Share {
  leads = false;

  #hooks;
  #channel;
  #silence; // milliseconds in which a leader says something
  #told = 0; // when
  #waiting = new AbortController();
  #abdicate = () => {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #alarm;

  /** @param {string} name @param {number} silence @param {ShareHooks} hooks */
  constructor(name, silence, hooks) {
    this.#hooks = hooks;
    this.#silence = silence;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    const { signal } = this.#waiting;
    navigator.locks.request(name, { signal }, () => this.#lead()).catch(() => {}); // of close()
    this.#channel.postMessage({ hello: true });
    this.#expect(HELLO);
  }

  /** As the leader, say something to the others. @param {Word} [more] */
  tell(more) {
    const word = { ...this.#hooks.word(), ...more };
    this.#told = Date.now();
    this.#silence = word.silence ?? this.#silence;
    this.#channel.postMessage(word);
  }

  /** As the leader, be heard from time to time. */
  murmur() {
    if (Date.now() - this.#told > this.#silence / 5) this.tell();
  }

  /** Leave. @param {number} [after] milliseconds until another one may lead */
  close(after = 0) {
    clearTimeout(this.#alarm);
    this.#waiting.abort();
    this.#channel.close();
    if (after && this.leads) setTimeout(() => this.#abdicate(), after);
    else this.#abdicate();
  }

  #lead() {
    if (this.#waiting.signal.aborted) return undefined;
    this.leads = true;
    clearTimeout(this.#alarm);
    const led = new Promise((resolve) => { this.#abdicate = () => resolve(undefined); });
    this.#hooks.lead();
    this.tell();
    return led;
  }

  /** @param {Word} word */
  #hear(word) {
    if (word.hello) {
      if (this.leads) this.tell();
    } else if (!this.leads) {
      this.#silence = word.silence ?? this.#silence;
      this.#expect(this.#silence);
      this.#hooks.told(word);
    }
  }

  /** @param {number} limit */
  #expect(limit) {
    clearTimeout(this.#alarm);
    this.#alarm = setTimeout(() => this.#hooks.alone(), limit);
  }
}

// ---------------------------------------------------------------------------------------
// The page: it comes and goes, and so does its network.

const PAGE = Symbol("page");
/** Those that are under way. @type {Set<Watch>} */ const watches = new Set();

/** @param {"suspend" | "resume" | "online" | "visible"} what */
function tellAll(what) {
  for (const each of [...watches]) each[PAGE](what);
}

// While it is kept for the way back to it, a page leads nobody; and some browsers keep none
// that has an open connection or a lock.
globalThis.addEventListener?.("pagehide", () => tellAll("suspend"));
globalThis.addEventListener?.("pageshow", () => tellAll("resume"));
globalThis.addEventListener?.("online", () => tellAll("online"));
globalThis.document?.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") tellAll("visible");
});

// ---------------------------------------------------------------------------------------
// The watch: what a page has of it.

const NEAR = 100; // events that a leader may be behind and still lead

/** The watch was refused, or closed before the run had finished. */
export class WatchError extends Error {
  /** @param {string} message @param {number} [code] an HTTP status or a close code */
  constructor(message, code) {
    super(message);
    this.name = "WatchError";
    this.code = code;
  }
}

/** A run that is being watched. */
export class Watch {
  /** @type {State} */ state = "connecting";
  /** How it goes there, or did last. @type {Kind} */ transport = "sse";
  /** The number of the last event received. */
  seq = 0;
  /** Events that came a second time and were dropped: 0, unless the server is at fault. */
  duplicates = 0;

  /** @type {Map<string, Set<(event: any) => void>>} */ #listeners = new Map();
  /** @type {Link | null} */ #link = null;
  /** @type {Share | null} */ #share = null;
  #route;
  #options;
  #begun; // whether `seq` is a place in the log
  #reason = "";
  #wait = 0;
  #resumed = false;
  #settled = false;
  #suspended = false;
  /** @type {(value: Finished | null) => void} */ #resolve = () => {};
  /** @type {(error: Error) => void} */ #reject = () => {};

  /** @param {string | URL} target @param {WatchOptions} [options] */
  constructor(target, options = {}) {
    this.#options = options;
    this.#route = new Route(target, options);
    [this.transport] = this.#route.kinds;
    this.#begun = this.#route.after !== "latest";
    if (this.#route.after !== "latest") this.seq = this.#route.after;
    /**
     * The data of `finished`, whatever became of the run; null where the run had finished
     * at `after` already. Rejected with a {@link WatchError} where the watch is refused or
     * closed.
     *
     * @type {Promise<Finished | null>}
     */
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.result.catch(() => {}); // whoever needs no result need not handle its rejection
    watches.add(this);
    queueMicrotask(() => this.#start()); // so that the caller can add its listeners first
  }

  /** "leads": the others' connection is this one's, "follows": there is none of its own. */
  get role() {
    if (this.#share?.leads) return "leads";
    return this.#share && !this.#link ? "follows" : "alone";
  }

  /**
   * Call `listener` with every event of a type, with every event ("*"), or with every
   * {@link Change} of the connection (":state"). Returns a function that ends this.
   *
   * @param {string} type @param {(event: any) => void} listener
   */
  on(type, listener) {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** Stop watching; the run goes on. */
  close() {
    if (!this.#settled) this.#end("closed", "closed by the page");
  }

  /** The events from now on, until the last one; throws where the watch is refused. */
  async *[Symbol.asyncIterator]() {
    /** @type {RunEvent[]} */ const waiting = [];
    let wake = () => {};
    const offs = [this.on("*", (event) => void waiting.push(event))];
    for (const type of ["*", ":state"]) offs.push(this.on(type, () => wake()));
    try {
      for (;;) {
        while (waiting.length) yield /** @type {RunEvent} */ (waiting.shift());
        if (this.#settled) break;
        await new Promise((resolve) => { wake = () => resolve(undefined); });
      }
      if (this.state === "refused") await this.result;
    } finally {
      for (const off of offs) off();
    }
  }

  /** The page's, see below. @param {"suspend" | "resume" | "online" | "visible"} what */
  [PAGE](what) {
    if (what === "suspend") {
      this.#suspended = true;
      this.#disconnect();
      this.#share?.close();
      this.#share = null;
    } else if (what === "resume" && this.#suspended) {
      this.#suspended = false;
      void this.#start();
    } else {
      this.#link?.nudge(what === "online");
    }
  }

  async #start() {
    const name = this.#settled ? null : await meetingPlace(this.#route, this.#options.share ?? true);
    if (this.#settled || this.#suspended || this.#share || this.#link) return;
    if (!name) return this.#connect();
    this.#share = new Share(name, this.#route.heartbeat * MISSED, {
      word: () => ({
        seq: this.#begun ? this.seq : null,
        change: this.#shown(),
        silence: this.#route.heartbeat * MISSED,
      }),
      lead: () => this.#connect(),
      told: (word) => this.#follow(word),
      alone: () => this.#connect(),
    });
  }

  /** Have a connection of one's own, from here on. */
  #connect() {
    this.#link ??= new Link(this.#route, this.#begun ? this.seq : "latest", {
      events: (events) => {
        if (this.#share?.leads) this.#share.tell({ seq: events[events.length - 1].seq, events });
        for (const event of events) this.#take(event);
      },
      snapshot: (event) => this.#begin(event),
      repeated: () => { this.duplicates += 1; },
      heard: () => this.#share?.leads && this.#share.murmur(),
      change: (change) => {
        this.#resumed ||= change.state === "reconnecting" && this.state === "live";
        this.#change(change);
        if (this.#share?.leads) this.#share.tell();
      },
      end: ({ end, reason, code }) => this.#end(end === "over" ? "ended" : "refused", reason, code),
    });
  }

  #disconnect() {
    this.#link?.close();
    this.#link = null;
  }

  /** In step with the leader, let it have the connection; else go on with one's own. @param {Word} word */
  #follow({ seq = null, change = {}, events = [] }) {
    if (this.#begun && events.length && events[0].seq <= this.seq + 1) {
      for (const event of events) this.#take(event);
    }
    if (this.#settled) return;
    if (!this.#begun || seq === null || seq > this.seq || seq < this.seq - NEAR) {
      this.#connect();
    } else {
      this.#disconnect();
      this.#resumed ||= change.resumed ?? false;
      this.#change(change);
    }
  }

  /** @param {RunEvent} event */
  #begin(event) {
    this.#begun = true;
    this.seq = event.seq;
    this.#emit("snapshot", event);
    this.#emit("*", event);
    const { status, return_value, error } = event.data ?? {};
    if (!ENDED.includes(status)) return;
    this.#resolve(status === "SUCCESSFUL" ? { status, return_value } : { status, error });
  }

  /** @param {RunEvent} event */
  #take(event) {
    if (this.#settled || event.seq <= this.seq) return;
    this.seq = event.seq;
    this.#emit(event.type, event);
    this.#emit("*", event);
    if (event.type !== "finished" || this.#settled) return;
    this.#resolve(event.data);
    this.#end("ended", "finished");
  }

  /** @param {State} state @param {string} reason @param {number} [code] */
  #end(state, reason, code) {
    if (this.#settled) return;
    this.#settled = true;
    watches.delete(this);
    this.#disconnect();
    this.#share?.close(state === "ended" ? FAREWELL : 0);
    this.#share = null;
    if (state === "ended") this.#resolve(null); // without effect after `finished`
    else this.#reject(new WatchError(reason, code));
    this.#change({ state, reason });
  }

  /** @param {Partial<Change>} change */
  #change({ state = this.state, reason = "", wait = 0, transport = this.transport }) {
    const before = this.#shown();
    Object.assign(this, { state, transport });
    [this.#reason, this.#wait] = [reason, wait];
    const now = this.#shown();
    if (JSON.stringify({ ...before, seq: 0 }) !== JSON.stringify({ ...now, seq: 0 })) {
      this.#emit(":state", now);
    }
  }

  /** @returns {Change} */
  #shown() {
    const { state, seq, transport } = this;
    return { state, seq, transport, resumed: this.#resumed, reason: this.#reason, wait: this.#wait };
  }

  /** @param {string} type @param {RunEvent | Change} event */
  #emit(type, event) {
    for (const listener of this.#listeners.get(type) ?? []) {
      try {
        listener(event);
      } catch (error) {
        reportError(error); // the page's fault, and no reason to lose the stream
      }
    }
  }
}

/**
 * Watch a run.
 *
 * @param {string | URL} target its id, the address of its events, or that of its socket
 * @param {WatchOptions} [options]
 */
export function watch(target, options) {
  return new Watch(target, options);
}
