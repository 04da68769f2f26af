// What is said where nothing is to be seen, and the way out.

import { fill, h } from "./dom.js";
import { words } from "./words-results.js";

/** @param {HTMLElement} place @param {import("./store.js").App} app @param {string} title */
export function empty(place, app, title) {
  const filtered = Object.keys(app.options.where).length > 0;
  const narrow = app.options.scope === "cluster";
  place.className = "empty";
  fill(
    place,
    h("p.big", {}, title),
    h("p.note", {}, words.nothingNote),
    h(
      "div.row",
      {},
      filtered ? h("button.plain", { type: "button", onclick: () => app.setOptions({ where: {} }) }, words.clear) : null,
      narrow ? h("button.plain", { type: "button", onclick: () => app.setOptions({ scope: "catalogue" }) }, words.everywhere) : null,
    ),
  );
}
