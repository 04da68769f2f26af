// A part of the page that shows the server's latest response. It shows a placeholder, keeps the last response, and retries.

import { ApiError } from "./api.js";
import { fill, h } from "./dom.js";
import { strings } from "./strings-results.js";

const MAX_RETRY_MS = 30_000; // until a failed query is sent again

/** @template Response */
export class LiveQuery {
  /**
   * @param {HTMLElement} container shows the response; it is dimmed while a newer one is loading
   * @param {import("./store.js").App} app
   * @param {{fetch: (signal: AbortSignal) => Promise<Response>, show: (response: Response) => void, skeleton?: () => Node}} options
   * `skeleton` makes the placeholder before the first response
   */
  constructor(container, app, { fetch, show, skeleton }) {
    this.container = container;
    this.fetch = fetch;
    this.show = show;
    this.skeleton = skeleton;
    this.problem = h("div.problem", { hidden: true });
    container.before(this.problem);
    /** @type {AbortController | null} */
    this.running = null;
    this.hasResponse = false;
    this.failures = 0; // in a row
    let timer = 0;
    app.on("online", () => {
      clearTimeout(timer);
      if (!app.online && this.hasResponse) this.problem.hidden = true; // the banner says it for the whole page
      // The server may be reachable and still refuse this query: retry less and less often.
      if (app.online && this.failures) {
        timer = window.setTimeout(() => this.run(), Math.min(250 * 2 ** this.failures, MAX_RETRY_MS));
      }
    });
  }

  /** Send the query. One that is still running is cancelled. */
  async run() {
    this.running?.abort();
    const controller = new AbortController();
    this.running = controller;
    this.container.setAttribute("aria-busy", "true");
    if (!this.hasResponse && this.skeleton) fill(this.container, this.skeleton());
    try {
      const response = await this.fetch(controller.signal);
      if (controller !== this.running) return;
      this.hasResponse = true;
      this.failures = 0;
      this.problem.hidden = true;
      this.show(response);
    } catch (error) {
      if (controller.signal.aborted || controller !== this.running) return;
      this._showProblem(/** @type {Error} */ (error));
    }
    this.container.removeAttribute("aria-busy");
  }

  /** @param {Error} error */
  _showProblem(error) {
    const isUnavailable = error instanceof ApiError && error.isUnavailable;
    if (!(error instanceof ApiError)) console.error(error);
    this.failures += 1;
    if (!this.hasResponse && this.skeleton) fill(this.container);
    const retry = h("button.plain", { type: "button", onclick: () => this.run() }, strings.retry);
    fill(this.problem, h("p", {}, error.message, this.hasResponse ? ` ${strings.showingLast}` : ""), retry);
    // The banner says that the server is unreachable. Say it here only if nothing is shown yet, or if this query fails again.
    this.problem.hidden = isUnavailable && this.hasResponse && this.failures < 2;
  }
}

/** Return grey placeholder shapes. @param {number} count @param {string} kind a class of css/results.css */
export function skeletons(count, kind) {
  const shapes = document.createDocumentFragment();
  for (let i = 0; i < count; i++) shapes.append(h(`div.skeleton.${kind}`, { "aria-hidden": "true" }));
  return shapes;
}
