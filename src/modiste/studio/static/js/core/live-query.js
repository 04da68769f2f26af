// A part of the page that shows the server's newest answer: it waits, shows, keeps the last one, and asks again.

import { fill, h } from "./dom.js";
import { words } from "./strings-results.js";

const LONGEST = 30_000; // milliseconds until a question that failed is asked again by itself

export class Asker {
  /**
   * @param {HTMLElement} place what holds the answer; it is dimmed while a newer one is on its way
   * @param {import("./store.js").App} app
   * @param {{ask: (signal: AbortSignal) => Promise<any>, show: (answer: any) => void, skeleton?: () => Node}} how
   */
  constructor(place, app, { ask, show, skeleton }) {
    this.place = place;
    this.ask = ask;
    this.show = show;
    this.skeleton = skeleton;
    this.trouble = h("div.trouble", { hidden: true });
    place.before(this.trouble);
    /** @type {AbortController | null} */
    this.running = null;
    this.answered = false;
    this.failures = 0; // in a row
    let timer = 0;
    app.on("online", () => {
      clearTimeout(timer);
      if (!app.online && this.answered) this.trouble.hidden = true; // the page says it once, for all its parts
      // A server may be there and yet refuse this one question: ask it less and less often.
      if (app.online && this.failures) timer = setTimeout(() => this.run(), Math.min(250 * 2 ** this.failures, LONGEST));
    });
  }

  /** Ask; what was asked before is called off. */
  async run() {
    this.running?.abort();
    const mine = (this.running = new AbortController());
    this.place.setAttribute("aria-busy", "true");
    if (!this.answered && this.skeleton) fill(this.place, this.skeleton());
    try {
      const answer = await this.ask(mine.signal);
      if (mine !== this.running) return;
      this.answered = true;
      this.failures = 0;
      this.trouble.hidden = true;
      this.show(answer);
    } catch (error) {
      if (mine.signal.aborted || mine !== this.running) return;
      this._fail(/** @type {Error} */ (error));
    }
    this.place.removeAttribute("aria-busy");
  }

  /** @param {Error} error */
  _fail(error) {
    if (!("status" in error)) console.error(error);
    this.failures += 1;
    if (!this.answered && this.skeleton) fill(this.place);
    const again = h("button.plain", { type: "button", onclick: () => this.run() }, words.again);
    fill(this.trouble, h("p", {}, error.message, this.answered ? ` ${words.kept}` : ""), again);
    // That the server is gone is for the page to say; here it is said if only this question fails, or nothing is shown yet.
    this.trouble.hidden = /** @type {any} */ (error).gone && this.answered && this.failures < 2;
  }
}

/** Grey shapes in the place of what is to come. @param {number} count @param {string} kind a class of css/results.css */
export function skeletons(count, kind) {
  const shapes = document.createDocumentFragment();
  for (let i = 0; i < count; i++) shapes.append(h(`div.skeleton.${kind}`, { "aria-hidden": "true" }));
  return shapes;
}
