// Two ranking methods side by side: the products in both lists, and where the lists differ.

import { fetchSimilar } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { LiveQuery, skeletons } from "../core/live-query.js";
import { shorten } from "../core/strings.js";
import { METHODS, strings } from "../core/strings-results.js";
import { closenessMark, enlargeButton } from "./cards.js";
import { productCount } from "./limits.js";

/** @typedef {import("../core/api.js").Match} Match */
/** @typedef {import("../core/store.js").App} App */

/** @param {HTMLElement} root @param {App} app */
export function mount(root, app) {
  const { methods } = app.shop;
  const first = app.options.method;
  const chosen = [first, methods.find((method) => method !== first) ?? first];
  const overlap = h("p.overlap", {});
  const columns = chosen.map((_, side) => createColumn(side));
  const container = h("div.versus", {}, ...columns.map(({ node }) => node));
  root.append(overlap, container);

  /** @param {number} side 0 or 1 */
  function createColumn(side) {
    const id = `compare-${side ? "right" : "left"}`;
    const options = methods.map((method) =>
      h("option", { value: method, selected: method === chosen[side] }, METHODS[method]?.[0] ?? method),
    );
    const choose = () => {
      chosen[side] = select.value;
      query.run();
    };
    const select = h(`select#${id}`, { onchange: choose }, ...options);
    const explanation = h("p.why", {});
    const list = h("ol.ranked", { "aria-labelledby": `${id}-label ${id}` });
    list.append(skeletons(productCount(app), "line"));
    const label = h(`label#${id}-label`, { htmlFor: id }, strings.method);
    const node = h("div.column", {}, h("div.choice", {}, label, select, explanation), list);
    return { explanation, list, node };
  }

  const query = new LiveQuery(container, app, {
    fetch(signal) {
      const { metric, scope, where } = app.options;
      const code = app.roundedCode();
      const k = productCount(app);
      const queries = chosen.map((method) => fetchSimilar({ code, k, method, metric, scope, where }, signal));
      return Promise.all(queries);
    },
    show(responses) {
      const lists = responses.map(({ results }) => results);
      const ids = lists.map((list) => list.map(({ id }) => id));
      const both = ids[0].filter((id) => ids[1].includes(id)).length;
      overlap.textContent = strings.overlap(both, Math.max(ids[0].length, ids[1].length));
      columns.forEach(({ explanation, list }, side) => {
        explanation.textContent = METHODS[chosen[side]]?.[1] ?? "";
        const items = lists[side].map((match, rank) =>
          item(app, match, rank, ids[1 - side].indexOf(match.id)),
        );
        fill(list, ...items);
      });
    },
  });
  return { run: () => query.run() };
}

/** Compare a product's ranks: a sign, and its meaning. @param {number} rank @param {number} otherRank −1 if it is not in the other list */
export function compareRanks(rank, otherRank) {
  if (otherRank < 0) return { sign: strings.onlyHere, text: strings.onlyHere };
  const by = otherRank - rank;
  if (by === 0) return { sign: "=", text: `${strings.inBoth}, ${strings.sameRank}` };
  const text = by > 0 ? strings.higher(by) : strings.lower(-by);
  return { sign: by > 0 ? `↑${by}` : `↓${-by}`, text: `${strings.inBoth}, ${text}` };
}

/** @param {App} app @param {Match} match @param {number} rank @param {number} otherRank −1 if it is not in the other list */
function item(app, match, rank, otherRank) {
  const { sign, text } = compareRanks(rank, otherRank);
  return h(
    otherRank < 0 ? "li.only" : "li.both",
    { "data-product": match.id },
    enlargeButton(app, match, 120),
    h(
      "div",
      {},
      h("p.name", { dir: "auto", title: shorten(match.title) }, shorten(match.title)),
      closenessMark(match.closeness),
    ),
    h(
      "p.mark",
      { title: text },
      h("span", { "aria-hidden": "true" }, sign),
      h("span.visually-hidden", {}, text),
    ),
  );
}
