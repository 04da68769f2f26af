// Filters by any attribute of the shop, for the lists and the map: words, colours, numbers, yes or no.

import { debounced, fill, h } from "../core/dom.js";
import { words } from "../core/strings-results.js";
import { short } from "./cards.js";

const LONG = 10; // values after which a list gets a search box
const nameOf = (/** @type {any} */ facet) => facet.name.replaceAll("_", " ");
const wordOf = (/** @type {any} */ value) => (value === true ? words.yes : value === false ? words.no : String(value));

/** @param {HTMLElement} root @param {import("../core/store.js").App} app */
export function mount(root, app) {
  const facets = app.shop.facets.filter((/** @type {any} */ facet) => facet.kind === "number" || facet.values.length > 1);
  if (facets.length === 0) return;
  const chips = h("ul.chips", { "aria-label": words.active(0) });
  const clear = h("button.plain.slim.clear", { type: "button", onclick: () => (app.setOptions({ where: {} }), toggle.focus()) }, words.clear);
  // Many measures would push everything else away: they wait behind one line.
  const numeric = facets.filter((/** @type {any} */ facet) => facet.kind === "number");
  const folded = numeric.length > 3 ? numeric : [];
  const sets = facets.filter((/** @type {any} */ facet) => !folded.includes(facet)).map((/** @type {any} */ facet) => fieldset(app, facet));
  if (folded.length) sets.push(h("details.measures", {}, h("summary", {}, words.measures(folded.length)), h("div", {}, ...folded.map((/** @type {any} */ facet) => fieldset(app, facet)))));
  const panel = h("div#filters-panel", { hidden: true }, ...sets);
  const toggle = h("button#filters-toggle.plain", { type: "button", "aria-expanded": "false", "aria-controls": "filters-panel", onclick: open }, words.filters);
  root.append(h("div#filters", {}, h("div.bar", {}, toggle, chips, clear), panel));

  function open() {
    panel.hidden = !panel.hidden;
    toggle.setAttribute("aria-expanded", String(!panel.hidden));
  }

  function show() {
    const active = facets.flatMap((/** @type {any} */ facet) => activeOf(app, facet));
    const items = active.map((/** @type {any} */ each) =>
      h(
        "li",
        {},
        h("button.chip", { type: "button", "aria-label": words.without(short(each.text, 80)), onclick: () => (each.remove(), toggle.focus()) }, swatch(each.colour), h("span", { dir: "auto" }, short(each.text, 40)), h("span", { "aria-hidden": "true" }, " ×")),
      ),
    );
    chips.setAttribute("aria-label", words.active(active.length));
    chips.hidden = clear.hidden = active.length === 0;
    toggle.textContent = active.length ? `${words.filters} (${active.length})` : words.filters;
    fill(chips, ...items);
  }
  app.on("options", show);
  show();
}

/** Change one attribute's filter; an empty one goes. @param {import("../core/store.js").App} app @param {string} name @param {any} asked */
export function setFilter(app, name, asked) {
  const where = { .../** @type {Record<string, any>} */ (app.options.where), [name]: asked };
  const nothing = asked === null || (Array.isArray(asked) ? asked.length === 0 : asked.min === undefined && asked.max === undefined);
  if (nothing) delete where[name];
  app.setOptions({ where });
}

/** The values chosen of an attribute. @param {import("../core/store.js").App} app @param {string} name @returns {any[]} */
export const chosenOf = (app, name) => {
  const asked = /** @type {Record<string, any>} */ (app.options.where)[name];
  return Array.isArray(asked) ? asked : [];
};

/** Choose a value, or no longer. @param {import("../core/store.js").App} app @param {string} name @param {any} value */
export function toggleValue(app, name, value) {
  const chosen = chosenOf(app, name);
  setFilter(app, name, chosen.includes(value) ? chosen.filter((each) => each !== value) : [...chosen, value]);
}

/** What is active of one facet, as chips. @param {import("../core/store.js").App} app @param {any} facet */
function activeOf(app, facet) {
  const asked = /** @type {Record<string, any>} */ (app.options.where)[facet.name];
  if (!asked) return [];
  if (!Array.isArray(asked)) return [{ text: words.range(nameOf(facet), asked.min, asked.max), remove: () => setFilter(app, facet.name, null) }];
  return asked.map((value) => {
    const colour = facet.values.find((/** @type {any} */ each) => each.value === value)?.colour;
    return { text: facet.kind === "flag" ? `${nameOf(facet)}: ${wordOf(value)}` : wordOf(value), colour, remove: () => toggleValue(app, facet.name, value) };
  });
}

/** A dot of a colour, or nothing. @param {string | null | undefined} colour */
export function swatch(colour) {
  if (!colour) return null;
  const dot = h("span.swatch", { "aria-hidden": "true" });
  dot.style.background = colour;
  return dot;
}

/** @param {import("../core/store.js").App} app @param {any} facet */
function fieldset(app, facet) {
  const coloured = facet.values.some((/** @type {any} */ each) => each.colour);
  const content = facet.kind === "number" ? numbers(app, facet) : choices(app, facet, coloured);
  return h("fieldset.facet", { "data-facet": facet.name }, h("legend", { dir: "auto" }, short(nameOf(facet), 60)), ...content);
}

/** @param {import("../core/store.js").App} app @param {any} facet @param {boolean} coloured */
function choices(app, facet, coloured) {
  const boxes = facet.values.map((/** @type {any} */ each) => {
    const text = short(wordOf(each.value), 80);
    const box = h("input", { type: "checkbox", onchange: () => toggleValue(app, facet.name, each.value) });
    const node = h("label.value", { title: text }, box, coloured ? (swatch(each.colour) ?? h("span.swatch.none", { "aria-hidden": "true" })) : null, h("span.text", { dir: "auto" }, text), h("span.count", {}, each.count.toLocaleString("en")));
    return { box, node, value: each.value, text: text.toLowerCase() };
  });
  const none = h("p.note", { hidden: true }, words.noneFits);
  const list = h("div.values", {}, ...boxes.map((/** @type {any} */ each) => each.node), none);
  const show = () => {
    const chosen = chosenOf(app, facet.name);
    for (const each of boxes) each.box.checked = chosen.includes(each.value);
  };
  app.on("options", show);
  show();
  if (boxes.length <= LONG) return [list];
  const search = h("input.find", {
    type: "search",
    "aria-label": words.searchIn(nameOf(facet)),
    placeholder: words.searchIn(nameOf(facet)),
    oninput: () => {
      const typed = search.value.trim().toLowerCase();
      for (const each of boxes) each.node.hidden = !each.text.includes(typed);
      none.hidden = boxes.some((/** @type {any} */ each) => !each.node.hidden);
    },
  });
  return [search, list];
}

/** @param {import("../core/store.js").App} app @param {any} facet */
function numbers(app, facet) {
  const apply = debounced(() => setFilter(app, facet.name, { min: read(low), max: read(high) }), 300);
  const whole = Number.isInteger(facet.minimum) && Number.isInteger(facet.maximum);
  const field = (/** @type {string} */ word, /** @type {number} */ bound) =>
    h("input", { type: "number", step: whole ? 1 : "any", min: facet.minimum, max: facet.maximum, placeholder: tidy(bound), "aria-label": `${nameOf(facet)} ${word}`, oninput: apply });
  const low = field(words.from, facet.minimum);
  const high = field(words.to, facet.maximum);
  const read = (/** @type {HTMLInputElement} */ input) => (input.value === "" || !Number.isFinite(input.valueAsNumber) ? undefined : input.valueAsNumber);
  app.on("options", () => {
    const asked = /** @type {Record<string, any>} */ (app.options.where)[facet.name];
    if (document.activeElement !== low) low.value = asked?.min ?? "";
    if (document.activeElement !== high) high.value = asked?.max ?? "";
  });
  return [h("div.span", {}, h("label", {}, words.from, low), h("label", {}, words.to, high))];
}

/** @param {number} value */
const tidy = (value) => String(Number(value.toPrecision(4)));
