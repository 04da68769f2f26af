// The message where there are no products, with buttons that widen the search.

import { fill, h } from "../core/dom.js";
import { strings } from "../core/strings-results.js";

/**
 * @param {HTMLElement} root @param {import("../core/store.js").App} app
 * @param {boolean} usesScope whether a search of the whole shop may find more
 */
export function showEmpty(root, app, usesScope) {
  const isFiltered = Object.keys(app.options.where).length > 0;
  const isNarrow = usesScope && app.options.scope === "cluster";
  const hint = isNarrow ? strings.removeFilterOrScopeHint : strings.removeFilterHint;
  const clearFilters = () => {
    app.setOptions({ where: {} });
    document.getElementById("filters-toggle")?.focus();
  };
  const searchAll = () => {
    app.setOptions({ scope: "catalogue" });
    document.getElementById("scope")?.focus();
  };
  root.className = "empty";
  fill(
    root,
    h("p.big", {}, isFiltered ? strings.noMatch : strings.noProducts),
    ...(isFiltered ? [h("p.note", {}, hint)] : []),
    h(
      "div.row",
      {},
      isFiltered ? h("button.plain", { type: "button", onclick: clearFilters }, strings.clear) : null,
      isNarrow ? h("button.plain", { type: "button", onclick: searchAll }, strings.searchAll) : null,
    ),
  );
}
