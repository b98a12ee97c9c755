/**
 * Headway in the browser: watch a run of a task live, over Server-Sent Events or WebSocket.
 *
 *     import { watch } from "./headway.js";
 *
 *     const run = watch("/tasks/0197a3c4-5d6e-7f80-9a1b-2c3d4e5f6071/events/");
 *     run.on("progress", ({ data }) => { bar.value = data.done / data.total; });
 *     const { status, return_value } = await run.result;
 *
 * Every event arrives once and in order, whatever happens to the connection: the
 * watch knows the number of the last event it had and asks for what follows.
 *
 * @typedef {import("./wire.js").Envelope} Envelope
 * @typedef {import("./wire.js").Outcome} Outcome
 * @typedef {{ status: string, return_value?: any, error?: { type: string, message: string } }}
 *   Finished The data of the last event of every run.
 * @typedef {"connecting" | "live" | "reconnecting" | "ended" | "refused" | "closed"} State
 * @typedef {{ state: State, seq: number, resumed: boolean, reason: string, wait: number }} Change
 *   `seq` is the last event received, `resumed` whether an earlier connection was lost,
 *   `wait` the milliseconds until the next try.
 */

import { TRANSPORTS } from "./transports.js";
import { backoff } from "./wire.js";

const STEADY = 5_000; // milliseconds: a connection that lasted so long was a good one

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
  /** Events that came a second time and were dropped: 0, unless the server is at fault. */
  duplicates = 0;

  /** @type {Map<string, Set<(event: any) => void>>} */ #listeners = new Map();
  #connection = new AbortController();
  #opened = 0; // when the present connection opened; 0: not yet
  #resumed = false;
  #settled = false;
  /** @type {(value: Finished | null) => void} */ #resolve = () => {};
  /** @type {(error: Error) => void} */ #reject = () => {};

  /** @param {string | URL} url @param {{ transport?: string, after?: number }} [options] */
  constructor(url, { transport = "sse", after = 0 } = {}) {
    this.url = new URL(url, document.baseURI);
    this.transport = transport;
    if (!(transport in TRANSPORTS)) throw new TypeError(`No such transport: ${transport}`);
    /** The number of the last event received. */
    this.seq = after;
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
    queueMicrotask(() => this.#run()); // so that the caller can add its listeners first
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
    /** @type {Envelope[]} */ const waiting = [];
    let wake = () => {};
    const offs = [this.on("*", (event) => void waiting.push(event))];
    for (const type of ["*", ":state"]) offs.push(this.on(type, () => wake()));
    try {
      for (;;) {
        while (waiting.length) yield /** @type {Envelope} */ (waiting.shift());
        if (this.#settled) break;
        await new Promise((resolve) => { wake = () => resolve(undefined); });
      }
      if (this.state === "refused") await this.result;
    } finally {
      for (const off of offs) off();
    }
  }

  /** One connection after another, until one ends that is not merely lost. */
  async #run() {
    let failures = 0;
    while (!this.#settled) {
      const before = this.seq;
      const { end, reason, code, wait = 0 } = await this.#connect();
      if (this.#settled) return;
      if (end !== "lost") return this.#end(end === "over" ? "ended" : "refused", reason, code);
      const lasted = this.#opened && performance.now() - this.#opened;
      if (this.seq > before || lasted > STEADY) failures = 0;
      const pause = wait + backoff(failures++);
      this.#resumed ||= this.#opened > 0;
      this.#opened = 0;
      this.#change("reconnecting", reason, pause);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  /** @returns {Promise<Outcome>} */
  async #connect() {
    this.#connection = new AbortController();
    try {
      return await TRANSPORTS[this.transport](this.url, this.seq, this.#connection.signal, {
        open: () => this.#open(),
        event: (text) => this.#take(text),
      });
    } catch (error) {
      return { end: "lost", reason: String(error) };
    } finally {
      this.#connection.abort();
    }
  }

  #open() {
    this.#opened = performance.now();
    if (!this.#settled) this.#change("live");
  }

  /** @param {string} text @returns {Outcome | undefined} */
  #take(text) {
    if (this.#settled) return { end: "over", reason: "settled" };
    /** @type {Envelope} */ let event;
    try {
      event = JSON.parse(text);
    } catch {
      return { end: "lost", reason: "an event that is no JSON" };
    }
    if (event.seq <= this.seq) {
      this.duplicates += 1;
      return undefined;
    }
    if (event.seq > this.seq + 1) return { end: "lost", reason: `no event ${this.seq + 1}` };
    this.seq = event.seq;
    this.#emit(event.type, event);
    this.#emit("*", event);
    if (event.type !== "finished") return undefined;
    this.#resolve(event.data);
    return { end: "over", reason: "finished" };
  }

  /** @param {State} state @param {string} reason @param {number} [code] */
  #end(state, reason, code) {
    this.#settled = true;
    this.#connection.abort();
    if (state === "ended") this.#resolve(null); // without effect after `finished`
    else this.#reject(new WatchError(reason, code));
    this.#change(state, reason);
  }

  /** @param {State} state @param {string} [reason] @param {number} [wait] */
  #change(state, reason = "", wait = 0) {
    this.state = state;
    this.#emit(":state", { state, seq: this.seq, resumed: this.#resumed, reason, wait });
  }

  /** @param {string} type @param {Envelope | Change} event */
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
 * @param {string | URL} url the run's events (SSE), or its socket, as http(s), ws(s) or a path
 * @param {{ transport?: "sse" | "websocket", after?: number }} [options]
 *   `after`: the number of the last event that the page has already
 */
export function watch(url, options) {
  return new Watch(url, options);
}
