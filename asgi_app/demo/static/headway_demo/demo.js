/** The demo's page: watches the run that the page shows, and draws what it hears. */

import { watch } from "../headway/headway.js";

const LOGGED = 300; // lines of the log kept in the page
const NAMES = { sse: "SSE", websocket: "WebSocket" };

const $ = (id) => document.getElementById(id);
const panel = $("run");
const title = document.title;
const count = new Intl.NumberFormat("en");

/** What the page shows; the events change it, and draw() puts it on the screen. */
const shown = { progress: null, text: "", lines: [], finished: null, attempt: 1 };
/** Runs of consecutive seqs in the order of their arrival: [[1, 57]] is 1, 2, … 57. */
const ledger = [];
let current = null;
let repeated = 0; // events that earlier watches of the page received twice
let drawing = 0;

for (const radio of document.querySelectorAll("input[name=transport]")) {
  radio.addEventListener("change", switchOver);
}
$("runs").addEventListener("click", ({ target }) => {
  if (target.href) target.search = new URLSearchParams([...new URL(target.href).searchParams, ["via", transport()]]);
});
if (panel) {
  begin(0);
  $("stop").addEventListener("submit", stop);
}

function transport() {
  return document.querySelector("input[name=transport]:checked").value;
}

/** Watch from the event that follows `after`. */
function begin(after) {
  const { eventsUrl: url, socketUrl: socket } = panel.dataset;
  current = watch(url, { transport: transport(), socket, after });
  current.on(":state", tell);
  current.on("*", take);
}

/** The same cursor on the other transport: nothing is lost and nothing comes twice. */
function switchOver() {
  const via = transport();
  for (const field of document.querySelectorAll("input[name=via]")) field.value = via;
  const address = new URL(location.href);
  address.searchParams.set("via", via);
  history.replaceState(null, "", address);
  if (!panel || shown.finished) return;
  const { seq } = current;
  repeated += current.duplicates;
  current.close();
  begin(seq);
}

function tell({ state, seq, transport: way, resumed, reason, wait }) {
  if (state === "closed") return; // by switchOver()
  const over = `over ${NAMES[way]}`;
  panel.dataset.state = state;
  $("connection").title = reason;
  $("connection").textContent = {
    connecting: "Connecting",
    live: resumed ? `Live ${over}, resumed at event ${seq}` : `Live ${over}`,
    reconnecting: `Reconnecting in ${(wait / 1000).toFixed(1)} s`,
    ended: "Ended",
    refused: `Refused: ${reason}`,
  }[state];
}

function take(event) {
  const { seq, type, at, data } = event;
  const last = ledger.at(-1);
  if (last && seq === last[1] + 1) last[1] = seq;
  else ledger.push([seq, seq]);
  panel.dataset.seqs = ledger.map(([first, end]) => `${first}-${end}`).join(",");
  panel.dataset.duplicates = repeated + current.duplicates;

  if (type === "progress") shown.progress = data;
  else if (type === "token") shown.text += data.text;
  else if (type === "started") shown.attempt = data.attempt;
  else if (type === "stopping") $("stop").querySelector("button").disabled = true;
  else if (type === "finished") finish(data);
  shown.lines.push(`${seq}  ${at.slice(11, 23)}  ${type}  ${JSON.stringify(data)}`);
  drawing ||= requestAnimationFrame(draw);
}

function finish(data) {
  shown.finished = data;
  $("stop").hidden = true;
  refreshRuns();
}

function draw() {
  drawing = 0;
  drawProgress();
  $("story").hidden = !shown.text;
  $("story").textContent = shown.text;
  if (shown.finished) drawOutcome(shown.finished);
  const events = ledger.map(([first, end]) => (first === end ? first : `${first} to ${end}`));
  const twice = Number(panel.dataset.duplicates);
  $("ledger").textContent = `Events ${events.join(", ")}, `
    + (twice ? `${twice} of them twice` : "each received once")
    + (shown.attempt > 1 ? ` · attempt ${shown.attempt}` : "");
  drawLog();
}

function drawProgress() {
  const { done, total, message, rate, eta } = shown.progress ?? {};
  if (done === undefined) return;
  const numbers = [`${count.format(done)}${total ? ` of ${count.format(total)}` : ""} ${message ?? ""}`];
  if (rate && !shown.finished) numbers.push(`${count.format(Math.round(rate))} a second`);
  if (eta && !shown.finished) numbers.push(`${count.format(Math.ceil(eta))} s left`);
  $("numbers").hidden = false;
  $("numbers").textContent = numbers.join(" · ");
  if (!total) return;
  const percent = Math.floor((100 * done) / total);
  const bar = $("bar");
  bar.hidden = false;
  bar.setAttribute("aria-valuemax", total);
  bar.setAttribute("aria-valuenow", done);
  bar.setAttribute("aria-valuetext", `${percent} %, ${numbers[0]}`);
  $("fill").style.width = `${percent}%`;
  document.title = shown.finished ? title : `${percent} % · ${title}`;
}

function drawOutcome({ status, return_value: value, error }) {
  const line = $("outcome");
  line.hidden = false;
  line.dataset.status = status;
  if (status === "SUCCESSFUL") line.textContent = `Done: ${describe(value)}`;
  else if (status === "FAILED") line.textContent = `Failed: ${error?.message ?? "no reason given"}`;
  else line.textContent = "Stopped";
  if (value?.import) line.append(" ", Object.assign(document.createElement("a"), {
    href: panel.dataset.rowsUrl.replace("/0/", `/${value.import}/`),
    textContent: "See them",
  }));
}

function describe(value) {
  if (value?.rows !== undefined) return `${count.format(value.rows)} rows in the table.`;
  if (value?.tokens !== undefined) return `${count.format(value.tokens)} tokens.`;
  return String(value);
}

function drawLog() {
  const log = $("log");
  const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
  for (const text of shown.lines.splice(0).slice(-LOGGED)) {
    log.append(Object.assign(document.createElement("li"), { textContent: text }));
  }
  while (log.childElementCount > LOGGED) log.firstChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

async function stop(event) {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("button");
  button.disabled = true;
  const headers = { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value, Accept: "application/json" };
  const answer = await fetch(form.action, { method: "POST", headers }).catch(() => null);
  if (answer?.ok) return;
  button.disabled = false;
  button.textContent = answer ? `Not stopped (${answer.status}): try again` : "Not stopped: try again";
}

async function refreshRuns() {
  const list = $("runs");
  const answer = await fetch(list.dataset.url).catch(() => null);
  if (answer?.ok) list.innerHTML = await answer.text();
}
