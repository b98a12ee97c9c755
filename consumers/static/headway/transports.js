/**
 * The two ways to a run's events. Each makes one connection; who calls it tries again.
 *
 * @typedef {import("./wire.js").Outcome} Outcome
 * @typedef {{ open: () => void, event: (text: string) => Outcome | undefined }} Sink
 *   Where a transport puts what it receives; an outcome means that it shall hang up.
 * @typedef {(url: URL, after: number, signal: AbortSignal, sink: Sink) => Promise<Outcome>}
 *   Transport One connection, until it ends or is aborted; may throw where it is lost.
 */

import { outcomeOfClose, outcomeOfStatus, parseEventStream } from "./wire.js";

/** @type {Transport} */
async function sse(url, after, signal, sink) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "text/event-stream" };
  if (after) headers["Last-Event-ID"] = String(after);
  const response = await fetch(url, { headers, signal, cache: "no-store" });
  const type = response.headers.get("Content-Type") ?? "";
  if (response.status !== 200 || !response.body || !type.startsWith("text/event-stream")) {
    return outcomeOfStatus(response.status, response.headers.get("Retry-After"));
  }
  sink.open();
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let wait = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { end: "lost", reason: "the stream was cut", wait };
    const { blocks, rest } = parseEventStream(text + decoder.decode(value, { stream: true }));
    text = rest;
    for (const block of blocks) {
      wait = block.retry ?? wait;
      const outcome = block.data === undefined ? undefined : sink.event(block.data);
      if (outcome) return outcome;
    }
  }
}

/** @type {Transport} */
function webSocket(url, after, signal, sink) {
  const address = new URL(url);
  address.protocol = address.protocol.replace("http", "ws");
  if (after) address.searchParams.set("after", String(after));
  address.searchParams.set("batch", "1"); // many events in a frame, one a line
  return new Promise((resolve) => {
    const socket = new WebSocket(address);
    socket.onopen = () => sink.open();
    socket.onmessage = ({ data }) => {
      for (const line of data.split("\n")) {
        const outcome = sink.event(line);
        if (outcome) return resolve(outcome);
      }
    };
    socket.onclose = ({ code, reason }) => resolve(outcomeOfClose(code, reason));
    signal.addEventListener("abort", () => socket.close());
  });
}

/** @type {Record<string, Transport>} */
export const TRANSPORTS = { sse, websocket: webSocket };
