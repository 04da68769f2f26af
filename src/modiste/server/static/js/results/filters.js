// Filters by the attributes of the shop, for the lists and the map: words, colours, numbers, yes or no.

import { debounced, fill, h } from "../core/dom.js";
import { readable, shorten } from "../core/strings.js";
import { strings } from "../core/strings-results.js";

const SEARCH_MIN_VALUES = 10; // a list of more values gets a search field
const MAX_NUMBERS = 3; // more number facets than that are folded
const INPUT_DELAY_MS = 300;

/** @typedef {import("../core/store.js").App} App */
/** @typedef {import("../core/api.js").Facet} Facet */

/** @param {any} value */
const displayValue = (value) => (value === true ? strings.yes : value === false ? strings.no : String(value));

/** @param {HTMLElement} root @param {App} app */
export function mount(root, app) {
  const facets = app.shop.facets.filter(({ kind, values }) => kind === "number" || values.length > 1);
  if (facets.length === 0) return;
  const chips = h("ul.chips");
  const clearAll = () => {
    app.setOptions({ where: {} });
    toggle.focus();
  };
  const clear = h("button.plain.slim.clear", { type: "button", onclick: clearAll }, strings.clear);
  // Many number fields would push everything else down, so they are folded.
  const numbers = facets.filter(({ kind }) => kind === "number");
  const folded = numbers.length > MAX_NUMBERS ? numbers : [];
  /** @type {HTMLElement[]} */
  const fields = facets.filter((facet) => !folded.includes(facet)).map((facet) => facetField(app, facet));
  if (folded.length) {
    const foldedFields = folded.map((facet) => facetField(app, facet));
    fields.push(
      h(
        "details.measurements",
        {},
        h("summary", {}, strings.measurements(folded.length)),
        h("div", {}, ...foldedFields),
      ),
    );
  }
  const panel = h("div#filters-panel", { hidden: true }, ...fields);
  const toggle = h(
    "button#filters-toggle.plain",
    { type: "button", "aria-expanded": "false", "aria-controls": "filters-panel", onclick: togglePanel },
    strings.filters,
  );
  root.append(h("div#filters", {}, h("div.bar", {}, toggle, chips, clear), panel));

  function togglePanel() {
    panel.hidden = !panel.hidden;
    toggle.setAttribute("aria-expanded", String(!panel.hidden));
  }

  /** @param {ReturnType<typeof activeFilters>[number]} filter */
  function chip({ text, colour, remove }) {
    const onclick = () => {
      remove();
      toggle.focus();
    };
    const label = strings.removeFilter(shorten(text, 80));
    return h(
      "li",
      {},
      h(
        "button.chip",
        { type: "button", "aria-label": label, title: shorten(text, 80), onclick },
        colour ? swatch(colour) : null,
        h("span", { dir: "auto" }, shorten(text, 40)),
        h("span", { "aria-hidden": "true" }, " ×"),
      ),
    );
  }

  function update() {
    const active = facets.flatMap((facet) => activeFilters(app, facet));
    chips.setAttribute("aria-label", strings.activeFilters(active.length));
    chips.hidden = clear.hidden = active.length === 0;
    toggle.textContent = active.length ? `${strings.filters} (${active.length})` : strings.filters;
    fill(chips, ...active.map(chip));
  }
  app.on("options", update);
  update();
}

/** Set the filter of one attribute; an empty one is removed. @param {App} app @param {string} name @param {any[] | {min?: number, max?: number}} filter */
function setFilter(app, name, filter) {
  const where = { ...app.options.where, [name]: filter };
  const isEmpty = Array.isArray(filter)
    ? filter.length === 0
    : filter.min === undefined && filter.max === undefined;
  if (isEmpty) delete where[name];
  app.setOptions({ where });
}

/** Return the chosen values of an attribute. @param {App} app @param {string} name @returns {any[]} */
export function chosenValues(app, name) {
  const filter = app.options.where[name];
  return Array.isArray(filter) ? filter : [];
}

/** Add a value to the filter of its attribute, or remove it. @param {App} app @param {string} name @param {any} value */
export function toggleValue(app, name, value) {
  const chosen = chosenValues(app, name);
  const isChosen = chosen.includes(value);
  setFilter(app, name, isChosen ? chosen.filter((each) => each !== value) : [...chosen, value]);
}

/** Return the active filters of a facet. @param {App} app @param {Facet} facet */
function activeFilters(app, { name, kind, values }) {
  const filter = app.options.where[name];
  if (!filter) return [];
  if (!Array.isArray(filter)) {
    const text = strings.range(readable(name), filter.min, filter.max);
    return [{ text, colour: undefined, remove: () => setFilter(app, name, []) }];
  }
  return filter.map((value) => ({
    text: kind === "flag" ? `${readable(name)}: ${displayValue(value)}` : displayValue(value),
    colour: values.find((each) => each.value === value)?.colour,
    remove: () => toggleValue(app, name, value),
  }));
}

/** @param {string} colour as CSS has it */
export function swatch(colour) {
  const dot = h("span.swatch", { "aria-hidden": "true" });
  dot.style.background = colour;
  return dot;
}

/** @param {App} app @param {Facet} facet */
function facetField(app, facet) {
  const content = facet.kind === "number" ? numberFields(app, facet) : valueList(app, facet);
  const legend = h("legend", { dir: "auto" }, shorten(readable(facet.name), 60));
  return h("fieldset.facet", { "data-facet": facet.name }, legend, ...content);
}

/** @param {App} app @param {Facet} facet */
function valueList(app, { name, values }) {
  const hasColours = values.some(({ colour }) => colour);
  const entries = values.map(({ value, colour, count }) => {
    const text = shorten(displayValue(value), 80);
    const box = h("input", { type: "checkbox", onchange: () => toggleValue(app, name, value) });
    const noColour = () => h("span.swatch.none", { "aria-hidden": "true" });
    const node = h(
      "label.value",
      { title: text },
      box,
      colour ? swatch(colour) : hasColours ? noColour() : null,
      h("span.text", { dir: "auto" }, text),
      h("span.count", {}, count.toLocaleString("en")),
    );
    return { box, node, value, text: text.toLowerCase() };
  });
  const none = h("p.note", { hidden: true }, strings.noValues);
  const list = h("div.values", {}, ...entries.map(({ node }) => node), none);
  const update = () => {
    const chosen = chosenValues(app, name);
    for (const { box, value } of entries) box.checked = chosen.includes(value);
  };
  app.on("options", update);
  update();
  if (entries.length <= SEARCH_MIN_VALUES) return [list];
  const label = strings.searchIn(readable(name));
  const search = h("input.value-search", {
    type: "search",
    "aria-label": label,
    placeholder: label,
    oninput() {
      const text = search.value.trim().toLowerCase();
      for (const entry of entries) entry.node.hidden = !entry.text.includes(text);
      none.hidden = entries.some(({ node }) => !node.hidden);
    },
  });
  return [search, list];
}

/** @param {App} app @param {Facet} facet */
function numberFields(app, { name, minimum, maximum }) {
  /** @param {HTMLInputElement} input */
  const read = (input) => (Number.isFinite(input.valueAsNumber) ? input.valueAsNumber : undefined);
  const apply = debounced(() => setFilter(app, name, { min: read(low), max: read(high) }), INPUT_DELAY_MS);
  const isWhole = Number.isInteger(minimum) && Number.isInteger(maximum);
  /** @param {string} word @param {number} bound */
  const field = (word, bound) =>
    h("input", {
      type: "number",
      step: isWhole ? 1 : "any",
      min: minimum,
      max: maximum,
      placeholder: String(Number(bound.toPrecision(4))),
      "aria-label": `${readable(name)} ${word}`,
      oninput: apply,
    });
  const low = field(strings.from, minimum);
  const high = field(strings.to, maximum);
  app.on("options", () => {
    const filter = app.options.where[name];
    if (document.activeElement !== low) low.value = filter?.min ?? "";
    if (document.activeElement !== high) high.value = filter?.max ?? "";
  });
  return [h("div.span", {}, h("label", {}, strings.from, low), h("label", {}, strings.to, high))];
}
