// Two ways of ranking, side by side: what both find, and where they disagree.

import { post } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { Asker, skeletons } from "../core/live-query.js";
import { METHODS, words } from "../core/strings-results.js";
import { closenessMark, short, tile } from "./cards.js";
import { productCount } from "./limits.js";
import { openPhoto } from "./open-photo.js";

/** @param {HTMLElement} root @param {import("../core/store.js").App} app */
export function mount(root, app) {
  const methods = app.shop.methods;
  const chosen = [app.options.method, methods.find((/** @type {string} */ each) => each !== app.options.method) ?? app.options.method];
  const overlap = h("p.overlap", {});
  const columns = chosen.map((_, side) => {
    const id = `compare-${side ? "right" : "left"}`;
    const select = h(
      `select#${id}`,
      { onchange: () => ((chosen[side] = select.value), asker.run()) },
      ...methods.map((/** @type {string} */ each) => h("option", { value: each, selected: each === chosen[side] }, METHODS[/** @type {keyof typeof METHODS} */ (each)]?.[0] ?? each)),
    );
    const why = h("p.why", {});
    const list = h("ol.ranked", { "aria-labelledby": `${id}-label ${id}` });
    return { select, why, list, node: h("div.column", {}, h("div.choice", {}, h(`label#${id}-label`, { htmlFor: id }, words.method), select, why), list) };
  });
  const place = h("div.versus", {}, ...columns.map((each) => each.node));
  root.append(overlap, place);

  const asker = new Asker(place, app, {
    ask: (signal) => {
      const { metric, scope, where } = app.options;
      const one = (/** @type {string} */ method) => post("/v1/similar", { code: app.asked(), k: productCount(app), method, metric, scope, where }, signal);
      return Promise.all(chosen.map(one));
    },
    show: (answers) => {
      const ids = answers.map((/** @type {any} */ answer) => answer.results.map((/** @type {any} */ match) => match.id));
      const both = ids[0].filter((/** @type {string} */ id) => ids[1].includes(id)).length;
      overlap.textContent = words.overlap(both, Math.max(ids[0].length, ids[1].length));
      columns.forEach((column, side) => {
        column.why.textContent = METHODS[/** @type {keyof typeof METHODS} */ (chosen[side])]?.[1] ?? "";
        fill(column.list, ...answers[side].results.map((/** @type {any} */ match, /** @type {number} */ rank) => line(app, match, rank, ids[1 - side].indexOf(match.id))));
      });
    },
  });
  columns.forEach((column) => column.list.append(skeletons(productCount(app), "line")));
  return { run: () => asker.run() };
}

/** @param {import("../core/store.js").App} app @param {any} match @param {number} rank @param {number} other its rank in the other list, or −1 */
function line(app, match, rank, other) {
  const title = short(match.title);
  const change = other < 0 ? words.onlyHere : other === rank ? words.sameRank : other > rank ? words.higher(other - rank) : words.lower(rank - other);
  const arrow = other < 0 ? "" : other === rank ? "=" : other > rank ? `↑${other - rank}` : `↓${rank - other}`;
  return h(
    other < 0 ? "li.only" : "li.both",
    { "data-product": match.id },
    h("button.enlarge", { type: "button", "aria-label": words.enlarge(title), onclick: () => openPhoto(app, match) }, tile(match, 120, "")),
    h("div", {}, h("p.name", { dir: "auto" }, title), closenessMark(match.closeness)),
    h("p.mark", { title: other < 0 ? change : `${words.inBoth}, ${change}` }, h("span", { "aria-hidden": "true" }, other < 0 ? words.onlyHere : arrow), h("span.unseen", {}, other < 0 ? change : `${words.inBoth}, ${change}`)),
  );
}
