/**
 * Elements that show a run: <headway-progress>, <headway-log>, <headway-run>.
 *
 *     <script type="module" src="/static/headway/elements.js"></script>
 *     <headway-run run="0197a3c4-5d6e-7f80-9a1b-2c3d4e5f6071" label="Import"></headway-run>
 *
 * Attributes: `run` (an id) or `src` (the address of its events), and of watch()'s options
 * `transport`, `after`, `base`, `socket`, `token`; `label`; of a log also `max` and `events`.
 * The property `watch` gives an element a watch of the page's own, and `token` a function.
 * They follow the page's `color-scheme`, take CSS variables (`--headway-accent` and so on, at
 * the head of the styles below) and `::part()`s, and need nothing inline, so a strict content
 * security policy is fine.
 *
 * @typedef {import("./headway.d.ts").RunEvent} RunEvent
 * @typedef {import("./headway.d.ts").Change} Change
 * @typedef {import("./headway.d.ts").Watch} Watch
 * @typedef {import("./headway.d.ts").WatchOptions} WatchOptions
 */

import { watch } from "./headway.js";

const LINES = 500; // of a log, unless `max` says otherwise
const FEW = 20; // lines at once that are worth being read out

const STYLES = `
  :host {
    --ink: var(--headway-ink, light-dark(#1c2330, #e8ebf1));
    --soft: var(--headway-soft, light-dark(#566072, #a3adbf));
    --surface: var(--headway-surface, light-dark(#ffffff, #1b2029));
    --sunken: var(--headway-sunken, light-dark(#f5f6f8, #12151b));
    --line: var(--headway-line, light-dark(#d9dde5, #333b49));
    --track: var(--headway-track, light-dark(#e3e8f3, #2b3342));
    --accent: var(--headway-accent, light-dark(#2b59c3, #8fb0ff));
    --good: var(--headway-good, light-dark(#18703d, #6bd394));
    --warn: var(--headway-warn, light-dark(#8a5300, #f2b65a));
    --bad: var(--headway-bad, light-dark(#b3261e, #ff9a90));
    --radius: var(--headway-radius, .6rem);
    --mono: var(--headway-mono, ui-monospace, SFMono-Regular, Menlo, Consolas, monospace);
    display: block;
    min-width: 0;
    color: var(--ink);
    font: var(--headway-font, 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif);
    text-align: start;
  }
  :host([hidden]), [hidden] { display: none !important; }
  * { box-sizing: border-box; }
  p { margin: 0; }
  .row { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; justify-content: space-between; }
  .soft { color: var(--soft); font-size: .875em; font-variant-numeric: tabular-nums; }
  .label { font-weight: 600; overflow-wrap: anywhere; }
  .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: .3em; }

  .track { height: var(--headway-height, .75rem); margin: .3rem 0; border-radius: 99rem; background: var(--track); overflow: hidden; }
  .bar { height: 100%; width: 0; border-radius: inherit; background: var(--accent); transition: width .2s linear; }
  .endless .bar { width: 30%; animation: to-and-fro 1.6s ease-in-out infinite alternate; }
  .SUCCESSFUL .bar { background: var(--good); }
  .FAILED .bar { background: var(--bad); }
  .CANCELLED .bar, .trouble .bar { background: var(--warn); }
  @keyframes to-and-fro { from { margin-inline-start: 0; } to { margin-inline-start: 70%; } }

  .log { max-height: var(--headway-log-height, 16rem); overflow: auto; padding: .6rem .8rem; border: 1px solid var(--line); border-radius: var(--radius); background: var(--sunken); font: .8125rem/1.6 var(--mono); overflow-wrap: anywhere; }
  .log ol { margin: 0; padding: 0; list-style: none; }
  .log time, .log .type { color: var(--soft); margin-inline-end: .75em; white-space: nowrap; }
  .log .level { font-weight: 700; margin-inline-end: .75em; }
  .log .warning .level { color: var(--warn); }
  .log .error .level, .log .critical .level { color: var(--bad); }

  .card { display: grid; gap: .8rem; padding: 1.1rem 1.25rem; border: 1px solid var(--line); border-radius: var(--radius); background: var(--surface); }
  .card > * { min-width: 0; }
  .title { font-size: 1.125em; font-weight: 600; overflow-wrap: anywhere; }
  .badge { display: inline-flex; align-items: center; gap: .5rem; padding: .15rem .7rem; border-radius: 99rem; background: var(--track); font-size: .875em; font-weight: 600; }
  .badge::before { content: ""; width: .6rem; height: .6rem; border-radius: 50%; background: var(--soft); }
  .RUNNING .badge::before { background: var(--accent); }
  .SUCCESSFUL .badge::before { background: var(--good); }
  .FAILED .badge::before { background: var(--bad); }
  .CANCELLED .badge::before, .trouble .badge::before { background: var(--warn); }
  .text { max-width: 42rem; max-height: var(--headway-text-height, 24rem); overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
  .outcome { font-weight: 600; overflow-wrap: anywhere; }
  .SUCCESSFUL .outcome { color: var(--good); }
  .FAILED .outcome { color: var(--bad); }
  .CANCELLED .outcome { color: var(--warn); }
  summary { cursor: pointer; padding: .25rem 0; font-size: .875em; font-weight: 600; }
  @media (prefers-reduced-motion: reduce) {
    .bar { transition: none; }
    .endless .bar { animation: none; width: 100%; opacity: .4; }
  }
`;

/** @type {CSSStyleSheet | undefined} */ let sheet;

function styles() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLES);
  }
  return sheet;
}

/**
 * An element of the shadow tree.
 *
 * @param {string} tag @param {Record<string, string>} [attributes] @param {(Node | string)[]} inside
 * @returns {HTMLElement}
 */
function make(tag, attributes = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

/** @param {HTMLElement} element @param {string} text */
function say(element, text) {
  // Only what is new, since a live region reads it out again otherwise.
  if (element.textContent !== text) element.textContent = text;
}

// What is known of a run -------------------------------------------------------------------

const WORDS = {
  READY: "Queued",
  RUNNING: "Running",
  SUCCESSFUL: "Done",
  FAILED: "Failed",
  CANCELLED: "Stopped",
};

/** What the events so far say. */
class Run {
  /** @type {keyof typeof WORDS} */ status = "READY";
  /** @type {any} */ progress = null;
  /** @type {any} */ value;
  /** @type {{ message?: string } | null | undefined} */ error;
  attempt = 0;
  known = false;
  stopping = false;
  retrying = false;
  text = "";
  told = ""; // the outcome as it was rendered

  /** Begin with what a template has rendered: `{% headway_run %}`. @param {HTMLElement} element */
  begin(element) {
    const status = element.getAttribute("status") ?? "";
    if (!Object.hasOwn(WORDS, status)) return;
    this.known = true;
    this.status = /** @type {keyof typeof WORDS} */ (status);
    this.stopping = element.hasAttribute("stopping");
    this.progress = JSON.parse(element.getAttribute("progress") ?? "null");
    this.text = element.querySelector("[data-text]")?.textContent ?? "";
    this.told = element.querySelector("[data-outcome]")?.textContent ?? "";
  }

  /** @param {RunEvent} event */
  take({ type, data }) {
    this.known = true;
    if (type === "progress") this.progress = data;
    else if (type === "append" && typeof data === "string") this.text += data;
    else if (type === "retrying") [this.status, this.retrying] = ["READY", true];
    else if (type === "stopping") this.stopping = true;
    else if (type === "started") {
      this.status = "RUNNING";
      this.attempt = data?.attempt ?? this.attempt + 1;
      this.text = ""; // an attempt begins a new one
    } else if (type === "finished") {
      ({ status: this.status, return_value: this.value, error: this.error } = data);
    } else if (type === "snapshot" && data?.status in WORDS) {
      ({ status: this.status, progress: this.progress, attempt: this.attempt } = data);
      this.text = data.text ?? "";
      this.value = data.return_value;
      this.error = data.error;
    }
  }

  get finished() {
    return this.status !== "READY" && this.status !== "RUNNING";
  }

  get word() {
    if (!this.known) return "Waiting";
    if (this.stopping && !this.finished) return "Stopping";
    if (this.status === "READY" && this.retrying) return "Trying again soon";
    return WORDS[this.status];
  }

  get outcome() {
    if (this.status === "FAILED") {
      return `Failed: ${this.error?.message || this.told || "no reason given"}`;
    }
    if (this.status === "CANCELLED") return "Stopped";
    return typeof this.value === "string" ? `Done: ${this.value}` : "Done";
  }
}

/** @param {Change | null} change a text for a connection that is not as it should be, or "" */
function troubleOf(change) {
  if (change?.state === "reconnecting") return "Reconnecting …";
  return change?.state === "refused" ? `Not shown: ${change.reason}` : "";
}

// The elements -----------------------------------------------------------------------------

const ADDRESS = ["run", "src", "transport", "after", "base", "socket", "token"];
const Base = globalThis.HTMLElement ?? class {}; // so that a server can import this

/** An element that watches a run while it is in the page. */
class RunElement extends Base {
  static observedAttributes = [...ADDRESS, "label"];

  /** What is shown. */
  shown = new Run();
  /** @type {Change | null} */ change = null;
  /** A grant, or what gives one; it may be set before this is known to be our element. */
  token = /** @type {WatchOptions["token"]} */ (/** @type {any} */ (this).token);

  /** @type {Watch | null} */ #watch = null;
  #own = false; // whether the watch is this element's to close
  /** @type {(() => void)[]} */ #offs = [];
  #drawing = 0;

  constructor() {
    super();
    this.root = this.attachShadow({ mode: "open" });
    this.root.adoptedStyleSheets = [styles()];
  }

  /** The watch whose events are shown; another one begins with what comes from now on. */
  get watch() {
    return this.#watch;
  }

  set watch(given) {
    this.#leave();
    this.#watch = given;
    this.shown = new Run();
    this.change = null;
    this.clear();
    this.draw();
    if (!given) return;
    this.#offs = [
      given.on("*", (event) => this.#take(event)),
      given.on(":state", (change) => {
        this.change = change;
        this.#drawSoon();
      }),
    ];
  }

  connectedCallback() {
    if (Object.hasOwn(this, "watch")) { // as `token`
      const given = this.watch;
      delete (/** @type {any} */ (this)).watch;
      this.watch = given;
    }
    this.draw();
    if (!this.#watch) this.#begin();
  }

  disconnectedCallback() {
    // Not of an element that is only moved.
    queueMicrotask(() => {
      if (!this.isConnected && this.#own) this.watch = null;
    });
  }

  /** @param {string} name @param {string | null} before @param {string | null} now */
  attributeChangedCallback(name, before, now) {
    if (before === now || !this.isConnected) return;
    if (ADDRESS.includes(name)) this.#begin();
    else this.draw();
  }

  /** Forget the run before. */
  clear() {}

  /** Show an event in its turn. @param {RunEvent} _event */
  take(_event) {}

  /** Show what is known. */
  draw() {}

  /** Show what was rendered. @param {HTMLElement} element */
  seed(element) {
    this.shown.begin(element);
    this.draw();
  }

  #begin() {
    const target = this.getAttribute("src") ?? this.getAttribute("run");
    if (!target) return;
    const given = (/** @type {string} */ name) => this.getAttribute(name) ?? undefined;
    const after = given("after");
    this.watch = watch(target, {
      transport: /** @type {WatchOptions["transport"]} */ (given("transport")),
      after: after === "latest" || after === undefined ? after : Number(after),
      base: given("base"),
      socket: given("socket"),
      token: this.token ?? given("token"),
    });
    this.#own = true;
    if (after !== undefined && after !== "latest") this.seed(this);
  }

  #leave() {
    for (const off of this.#offs) off();
    if (this.#own) this.#watch?.close();
    this.#own = false;
  }

  /** @param {RunEvent} event */
  #take(event) {
    this.shown.take(event);
    this.take(event);
    this.#drawSoon();
    if (event.type === "finished") {
      this.dispatchEvent(new CustomEvent("finished", { detail: event.data, bubbles: true }));
    }
  }

  #drawSoon() {
    this.#drawing ||= requestAnimationFrame(() => {
      this.#drawing = 0;
      this.draw();
    });
  }

  /** Classes by which the styles know how it is. @param {HTMLElement} element @param {boolean} [endless] */
  mark(element, endless = false) {
    const trouble = !this.shown.finished && troubleOf(this.change);
    const classes = [this.shown.status, endless && "endless", trouble && "trouble"];
    element.className = [element.dataset.class, ...classes].filter(Boolean).join(" ");
  }
}

/** How far a run is. */
export class HeadwayProgress extends RunElement {
  #label = make("span", { part: "label", class: "label" });
  #percent = make("span", { part: "percent", class: "soft" });
  #bar = make("div", { part: "bar", class: "bar" });
  #track = make("div", { part: "track", class: "track", role: "progressbar", "aria-valuemin": "0" }, this.#bar);
  #numbers = make("span", { part: "numbers", class: "soft" });
  #connection = make("span", { part: "connection", class: "soft" });
  #status = make("div", { role: "status", class: "unseen" });
  #whole = make("div", { part: "progress" });

  constructor() {
    super();
    const head = make("div", { class: "row" }, this.#label, this.#percent);
    const foot = make("div", { class: "row" }, this.#numbers, this.#connection);
    this.#whole.append(head, this.#track, foot);
    this.root.append(this.#whole, this.#status);
  }

  draw() {
    const run = this.shown;
    const label = this.getAttribute("label") ?? "";
    const quiet = this.hasAttribute("quiet"); // within an element that says the rest
    const { done, total } = run.progress ?? {};
    // A run that is done is all done, whatever it said of its progress.
    const part = total ? Math.min(1, done / total) : run.status === "SUCCESSFUL" ? 1 : 0;
    const endless = run.status === "RUNNING" && !total;
    const percent = total || part ? `${Math.floor(100 * part)} %` : "";
    const numbers = numbersOf(run);
    this.mark(this.#whole, endless);
    this.#bar.style.width = endless ? "" : `${100 * part}%`;
    this.#track.setAttribute("aria-label", label || "Progress");
    this.#track.setAttribute("aria-valuemax", String(total || 1));
    if (endless) this.#track.removeAttribute("aria-valuenow");
    else this.#track.setAttribute("aria-valuenow", String(total ? Math.min(done, total) : part));
    this.#track.setAttribute("aria-valuetext", [percent, numbers || run.word].filter(Boolean).join(", "));
    say(this.#label, label || (quiet ? "" : run.word));
    say(this.#percent, percent);
    say(this.#numbers, numbers || (label ? run.word : ""));
    if (quiet) return;
    const trouble = run.finished ? "" : troubleOf(this.change);
    say(this.#connection, trouble || (run.finished && label && numbers ? run.word : ""));
    say(this.#status, trouble || (run.finished ? run.outcome : ""));
  }
}

/** @param {Run} run */
function numbersOf({ progress, finished }) {
  const { done, total, message, rate, eta } = progress ?? {};
  if (done === undefined) return "";
  const count = new Intl.NumberFormat(document.documentElement.lang || "en", { maximumFractionDigits: 1 });
  const parts = [[count.format(done), total && `of ${count.format(total)}`, message].filter(Boolean).join(" ")];
  if (rate && !finished) parts.push(`${count.format(rate)} a second`);
  if (eta && !finished) parts.push(eta < 90 ? `${Math.ceil(eta)} s left` : `${Math.ceil(eta / 60)} min left`);
  return parts.join(" · ");
}

/** A run's log: what it logs or, with the attribute `events`, all that happens. */
export class HeadwayLog extends RunElement {
  #lines = make("ol", { part: "lines" });
  #none = make("p", { class: "soft" }, "Nothing logged yet.");
  #log = make("div", { part: "log", class: "log", role: "log", tabindex: "0" }, this.#none, this.#lines);
  /** @type {RunEvent[]} */ #fresh = [];

  constructor() {
    super();
    this.root.append(this.#log);
  }

  clear() {
    this.#fresh = [];
    this.#lines.replaceChildren();
  }

  /** @param {RunEvent} event */
  take(event) {
    if (event.type !== "log" && !this.hasAttribute("events")) return;
    this.#fresh.push(event);
    if (this.#fresh.length > 2 * this.#max) this.#fresh.splice(0, this.#max); // while nobody looks
  }

  get #max() {
    return Number(this.getAttribute("max")) || LINES;
  }

  draw() {
    const log = this.#log;
    log.setAttribute("aria-label", this.getAttribute("label") ?? "Log");
    // A log that comes all at once is to be looked through, not to be listened to.
    log.setAttribute("aria-live", this.#fresh.length > FEW ? "off" : "polite");
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
    this.#lines.append(...this.#fresh.splice(0).slice(-this.#max).map(lineOf));
    while (this.#lines.childElementCount > this.#max) this.#lines.firstElementChild?.remove();
    this.#none.hidden = this.#lines.childElementCount > 0;
    if (atEnd) log.scrollTop = log.scrollHeight;
  }
}

/** @param {RunEvent} event */
function lineOf({ type, at, data }) {
  const moment = new Date(at);
  const time = make("time", { datetime: at }, Number.isNaN(+moment) ? "" : moment.toLocaleTimeString([], { hourCycle: "h23" }));
  if (type !== "log") {
    return make("li", {}, time, make("span", { class: "type" }, type), JSON.stringify(data) ?? "");
  }
  const level = String(data?.level ?? "info").toLowerCase();
  const shown = level === "info" ? "" : make("span", { class: "level" }, level.toUpperCase());
  return make("li", { class: level }, time, shown, String(data?.message ?? ""));
}

/** All of a run: its state, progress, text, outcome and log. */
export class HeadwayRun extends RunElement {
  #title = make("span", { part: "title", class: "title", role: "heading", "aria-level": "3" });
  #badge = make("span", { part: "badge", class: "badge", role: "status" });
  #progress = /** @type {HeadwayProgress} */ (make("headway-progress", { part: "progress", quiet: "" }));
  #text = make("div", { part: "text", class: "text", tabindex: "0", role: "region", "aria-label": "Text" });
  #outcome = make("p", { part: "outcome", class: "outcome", role: "status" });
  #log = /** @type {HeadwayLog} */ (make("headway-log", { part: "log", events: "", label: "Events" }));
  #card = make("section", { part: "card", "data-class": "card" });

  constructor() {
    super();
    const head = make("div", { class: "row" }, make("slot", { name: "title" }, this.#title), this.#badge);
    const log = make("details", { part: "details" }, make("summary", {}, "Events"), this.#log);
    this.#card.append(head, this.#progress, this.#text, this.#outcome, log);
    this.root.append(this.#card);
  }

  clear() {
    for (const part of [this.#progress, this.#log]) part.watch = this.watch;
  }

  /** @param {HTMLElement} element */
  seed(element) {
    this.#progress.seed(element);
    super.seed(element);
  }

  draw() {
    const run = this.shown;
    const trouble = run.finished ? "" : troubleOf(this.change);
    const again = run.attempt > 1 && !run.finished ? `, attempt ${run.attempt}` : "";
    this.mark(this.#card);
    say(this.#title, this.getAttribute("label") ?? "Run");
    this.#card.setAttribute("aria-label", this.getAttribute("label") ?? "Run");
    say(this.#badge, trouble || `${run.word}${again}`);
    this.#progress.hidden = !run.progress && (run.finished || !!run.text);
    this.#text.hidden = !run.text;
    say(this.#text, run.text);
    this.#outcome.hidden = !run.finished || run.outcome === run.word;
    say(this.#outcome, run.finished && run.outcome !== run.word ? run.outcome : "");
  }
}

if (globalThis.customElements && !customElements.get("headway-run")) {
  customElements.define("headway-progress", HeadwayProgress);
  customElements.define("headway-log", HeadwayLog);
  customElements.define("headway-run", HeadwayRun);
}
