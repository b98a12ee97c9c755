/** Headway in the browser: watch a run of a task live. See headway.js. */

/** An event of a run's log. */
export interface RunEvent<Data = any> {
  run: string;
  /** 1, 2, 3 … with no hole. */
  seq: number;
  type: string;
  /** RFC 3339 in UTC, with microseconds. */
  at: string;
  data: Data;
}

/** The data of the last event of every run. */
export interface Finished<Value = any> {
  status: "SUCCESSFUL" | "FAILED" | "CANCELLED";
  /** Of a successful run. */
  return_value?: Value;
  /** Of another one; `type` is the exception's, or the reason. */
  error?: { type: string; message: string };
}

/** The data of `progress`. */
export interface Progress {
  done: number;
  total?: number | null;
  message?: string | null;
  /** A second, as `track()` measures it. */
  rate?: number | null;
  /** Seconds left, by the same. */
  eta?: number | null;
}

/** The data of `log`. */
export interface LogLine {
  level: string;
  message: string;
}

/**
 * `refused`: the server said no, and will not be asked again. `closed`: the page closed it.
 * `ended`: the run has finished, and all of it is here.
 */
export type State = "connecting" | "live" | "reconnecting" | "ended" | "refused" | "closed";

/** How the connection is. */
export interface Change {
  state: State;
  /** The last event received. */
  seq: number;
  transport: "sse" | "websocket";
  /** An earlier connection was lost. */
  resumed: boolean;
  /** Why it is so: for logs and tooltips. */
  reason: string;
  /** Milliseconds until the next try; cut short when the network or the page comes back. */
  wait: number;
}

export interface WatchOptions {
  /** "auto", the default: SSE, and WebSocket where that does not get through. */
  transport?: "auto" | "sse" | "websocket";
  /**
   * The number of the last event that the page has already, 0 for none. "latest": begin with
   * the run's present state in one `snapshot` event.
   */
  after?: number | "latest";
  /**
   * A grant. It is sent as `Authorization: Bearer …` or as a WebSocket's subprotocol, never
   * in an address. A function is asked for each connection, so that it may renew it.
   */
  token?: string | (() => string | Promise<string>);
  /** The address of the run's socket, if it is not to be asked for. */
  socket?: string | URL;
  /** Where Headway's URLs are, for a target that is an id: "/", the default, or "/background/". */
  base?: string | URL;
  /** Seconds between signs of life until the server says how many: 15, the default. */
  heartbeat?: number;
  /**
   * Whether tabs of this browser that watch the same with the same token have one connection
   * between them: true, the default. Tabs with a text have one, whatever their tokens; those
   * whose token is a function need one for that.
   */
  share?: boolean | string;
  /** As of `fetch()`: "same-origin", the default. */
  credentials?: RequestCredentials;
}

/** The watch was refused, or closed before the run had finished. */
export class WatchError extends Error {
  /** An HTTP status or a close code. */
  code?: number;
  constructor(message: string, code?: number);
}

/** A run that is being watched. It iterates over the events from now on, until the last one. */
export class Watch<Value = any> implements AsyncIterable<RunEvent> {
  constructor(target: string | URL, options?: WatchOptions);
  readonly state: State;
  readonly transport: "sse" | "websocket";
  /** The number of the last event received. */
  readonly seq: number;
  /** Events that came a second time and were dropped: 0, unless the server is at fault. */
  readonly duplicates: number;
  /** "leads": other tabs have its connection too. "follows": it has that of another. */
  readonly role: "alone" | "leads" | "follows";
  /**
   * The data of `finished`, whatever became of the run; null where it had finished at `after`
   * already. Rejected with a {@link WatchError} where the watch is refused or closed.
   */
  readonly result: Promise<Finished<Value> | null>;
  /** Call it with each event of a type; returns a function that ends this. */
  on(type: ":state", listener: (change: Change) => void): () => void;
  on(type: "progress", listener: (event: RunEvent<Progress>) => void): () => void;
  on(type: "log", listener: (event: RunEvent<LogLine>) => void): () => void;
  on(type: "append", listener: (event: RunEvent<string>) => void): () => void;
  on(type: "finished", listener: (event: RunEvent<Finished<Value>>) => void): () => void;
  /** "*": every event. */
  on(type: string, listener: (event: RunEvent) => void): () => void;
  /** Stop watching; the run goes on. */
  close(): void;
  [Symbol.asyncIterator](): AsyncGenerator<RunEvent, void, undefined>;
}

/**
 * Watch a run.
 *
 * @param target its id, the address of its events, or that of its socket (`ws:`, `wss:`, or
 *   any with `transport: "websocket"`)
 */
export function watch<Value = any>(target: string | URL, options?: WatchOptions): Watch<Value>;
