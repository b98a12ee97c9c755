/**
 * The live columns of StreamTasks in Django's admin: one event stream for all that are under
 * way on the page, which the browser opens again by itself until all have ended.
 */

/** @param {any} progress the data of a progress event */
export function describe(progress) {
  if (progress === null || progress === undefined) return "";
  if (typeof progress !== "object" || Array.isArray(progress)) return String(progress);
  const done = progress.done ?? progress.step;
  const total = progress.total ?? progress.total_steps;
  const count = done == null ? "" : total == null ? `${done}` : `${done} / ${total}`;
  return [count, progress.message ?? ""].filter(Boolean).join(" ");
}

/** @param {string} selector @param {string} run @param {string} text */
function put(selector, run, text) {
  const cell = document.querySelector(`[data-headway-${selector}="${run}"]`);
  if (cell) cell.textContent = text;
}

/** @param {(run: string, data: any) => void} act */
const heard = (act) => (/** @type {MessageEvent} */ message) => {
  const { run, data } = JSON.parse(message.data);
  act(run, data);
};

function follow() {
  const cells = [...document.querySelectorAll("[data-headway-run]")];
  const url = cells[0]?.getAttribute("data-headway-events");
  const runs = cells.map((cell) => cell.getAttribute("data-headway-run")).filter(Boolean);
  if (!url || !runs.length) return;
  const query = new URLSearchParams(runs.map((run) => ["run", run ?? ""]));
  query.set("after", "latest");
  const source = new EventSource(`${url}?${query}`);
  source.addEventListener("snapshot", heard((run, data) => {
    put("state", run, data.status.toLowerCase());
    put("run", run, describe(data.progress));
  }));
  source.addEventListener("started", heard((run) => put("state", run, "running")));
  source.addEventListener("progress", heard((run, data) => put("run", run, describe(data))));
  source.addEventListener("finished", heard((run, data) => {
    put("state", run, data.status === "SUCCESSFUL" ? "completed" : data.status.toLowerCase());
  }));
}

follow();
