// What is said where nothing is to be seen, and the way out.

import { byId, fill, h } from "../core/dom.js";
import { words } from "../core/strings-results.js";

/**
 * @param {HTMLElement} place @param {import("../core/store.js").App} app
 * @param {boolean} scoped whether looking in the whole shop would find more
 */
export function empty(place, app, scoped) {
  const filtered = Object.keys(app.options.where).length > 0;
  const narrow = scoped && app.options.scope === "cluster";
  place.className = "empty";
  const parts = [
    h("p.big", {}, filtered ? words.nothing : words.nothingAtAll),
    filtered ? h("p.note", {}, narrow ? words.nothingNote : words.nothingNoteFiltered) : null,
    h(
      "div.row",
      {},
      filtered ? h("button.plain", { type: "button", onclick: () => (app.setOptions({ where: {} }), byId("filters-toggle")?.focus()) }, words.clear) : null,
      narrow ? h("button.plain", { type: "button", onclick: () => (app.setOptions({ scope: "catalogue" }), byId("scope")?.focus()) }, words.everywhere) : null,
    ),
  ];
  fill(place, ...parts.filter((each) => each !== null));
}
