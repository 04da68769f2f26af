// A part of the page that shows the server's newest answer: it waits, shows, keeps the last one, and asks again.

import { fill, h } from "./dom.js";
import { words } from "./words-results.js";

export class Asker {
  /**
   * @param {HTMLElement} place what holds the answer; it is dimmed while a newer one is on its way
   * @param {import("./store.js").App} app
   * @param {{ask: (signal: AbortSignal) => Promise<any>, show: (answer: any) => void, skeleton?: () => Node}} how
   */
  constructor(place, app, { ask, show, skeleton }) {
    this.place = place;
    this.app = app;
    this.ask = ask;
    this.show = show;
    this.skeleton = skeleton;
    this.trouble = h("div.trouble", { hidden: true });
    place.before(this.trouble);
    /** @type {AbortController | null} */
    this.running = null;
    this.answered = false;
    this.failed = false;
    app.on("online", () => {
      if (app.online && this.failed) this.run();
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
      this.failed = false;
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
    else if (/** @type {any} */ (error).gone) this.app.emit("suspect");
    this.failed = true;
    if (!this.answered && this.skeleton) fill(this.place);
    const again = h("button.plain", { type: "button", onclick: () => this.run() }, words.again);
    fill(this.trouble, h("p", {}, error.message, this.answered ? ` ${words.kept}` : ""), again);
    this.trouble.hidden = false;
  }
}

/** Grey shapes in the place of what is to come. @param {number} count @param {string} kind a class of css/results.css */
export function skeletons(count, kind) {
  const shapes = document.createDocumentFragment();
  for (let i = 0; i < count; i++) shapes.append(h(`div.skeleton.${kind}`, { "aria-hidden": "true" }));
  return shapes;
}
