/** Elements that show a run. See elements.js. */

import type { Change, RunEvent, Watch, WatchOptions } from "./headway.js";

declare class RunElement extends HTMLElement {
  /** The watch whose events are shown; another one begins with what comes from now on. */
  watch: Watch | null;
  /** A grant, or what gives one; to be set before the element is put into the page. */
  token: WatchOptions["token"];
  /** How the connection is. */
  readonly change: Change | null;
}

/** How far a run is. Attributes: `run` or `src`, `label`, and options of a watch. */
export class HeadwayProgress extends RunElement {}

/**
 * A run's log. Attributes also: `max`, the lines that are kept (500), and `events`: all
 * that happens, not only what the task logs.
 */
export class HeadwayLog extends RunElement {}

/** All of a run: its state, progress, text, outcome and log; a slot `title`. */
export class HeadwayRun extends RunElement {}

declare global {
  interface HTMLElementTagNameMap {
    "headway-progress": HeadwayProgress;
    "headway-log": HeadwayLog;
    "headway-run": HeadwayRun;
  }
}

export type { RunEvent };
