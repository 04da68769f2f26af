// The products nearest to the design, as cards.

import { fetchSimilar } from "../core/api.js";
import { byId, debounced, fill, h } from "../core/dom.js";
import { loadModule } from "../core/lazy.js";
import { LiveQuery, skeletons } from "../core/live-query.js";
import { reorder } from "../core/reorder.js";
import { shorten } from "../core/strings.js";
import { METHODS, METRICS, SCOPES, strings } from "../core/strings-results.js";
import { Card } from "./cards.js";
import { showEmpty } from "./empty.js";
import { productCount } from "./limits.js";

const CACHED_CARDS = 200; // of products that may come back
const FOLDED_CARDS = 6; // shown before "Show all" on a narrow page
const ANNOUNCE_DELAY_MS = 700;

/** @typedef {import("../core/store.js").App} App */

/** @param {HTMLElement} root @param {App} app */
export function mount(root, app) {
  const list = h("ul#similar.cards", { "aria-labelledby": "similar-title" });
  const none = h("div", { hidden: true });
  const all = h(
    "button.plain.show-all",
    { type: "button", "aria-controls": "similar", onclick: () => showAll() },
    strings.showAll(productCount(app)),
  );
  const compare = h(
    "button#compare.plain",
    { type: "button", "aria-pressed": "false", onclick: () => toggleComparison() },
    strings.compare,
  );
  const view = h("div#compare-view", { hidden: true });
  const single = h("div.single", {}, list, none, all);
  root.append(
    h("div.heading", {}, h("h3#similar-title", {}, strings.similar), h("p.note", {}, strings.similarNote)),
    h("div.ranking", {}, ...choices(app), compare),
    single,
    view,
  );

  /** @type {Map<string, {card: Card, item: HTMLElement}>} by product, least recently used first */
  const cards = new Map();
  const announce = debounced((/** @type {string} */ text) => app.announce(text), ANNOUNCE_DELAY_MS);

  /** @param {import("../core/api.js").SimilarResult} response */
  function show(response) {
    app.similar = response;
    const items = response.results.map((match) => itemOf(match, response.method));
    none.hidden = items.length > 0;
    list.hidden = !none.hidden;
    if (items.length === 0) showEmpty(none, app, true);
    all.hidden = items.length <= FOLDED_CARDS || list.classList.contains("all");
    reorder(list, items);
    const first = response.results[0];
    const text = first && strings.found(items.length, shorten(first.title, 60), first.closeness);
    announce(text ?? strings.foundNone);
    app.emit("results", "similar");
  }

  /** @param {import("../core/api.js").Match} match @param {string} method */
  function itemOf(match, method) {
    let entry = cards.get(match.id);
    if (!entry) {
      const card = new Card(app, match);
      entry = { card, item: h("li", {}, card.node) };
    }
    cards.delete(match.id); // and add it at the end: it is now the most recently used
    cards.set(match.id, entry);
    if (cards.size > CACHED_CARDS) cards.delete(/** @type {string} */ (cards.keys().next().value));
    entry.card.update(match, method);
    entry.card.updatePins(app.pins);
    return entry.item;
  }

  function showAll() {
    list.classList.add("all");
    all.hidden = true;
    list.children[FOLDED_CARDS]?.querySelector("button")?.focus();
  }

  /** @type {{run: () => void} | null} */
  let comparison = null;
  async function toggleComparison() {
    const isOn = compare.getAttribute("aria-pressed") !== "true";
    compare.setAttribute("aria-pressed", String(isOn));
    compare.textContent = isOn ? strings.back : strings.compare;
    single.hidden = isOn;
    view.hidden = !isOn;
    for (const element of [byId("method").parentElement, byId("method-why")]) {
      if (element) element.hidden = isOn; // each list has its own method
    }
    if (!isOn) return;
    const module = await loadModule(app, () => import("./compare.js"));
    comparison ??= module?.mount(view, app) ?? null;
    comparison?.run();
  }

  const query = new LiveQuery(list, app, {
    fetch(signal) {
      const { method, metric, scope, where } = app.options;
      const code = app.roundedCode();
      return fetchSimilar({ code, k: productCount(app), method, metric, scope, where }, signal);
    },
    show,
    skeleton: () => skeletons(productCount(app), "tall"),
  });
  const run = () => {
    query.run();
    if (!view.hidden) comparison?.run();
  };
  app.on("settled", run);
  app.on("options", run);
  app.on("pins", () => {
    for (const { card } of cards.values()) card.updatePins(app.pins);
  });
  query.run();
}

/** Return the choices of method, scope and metric, with their explanations. @param {App} app */
function choices(app) {
  const method = createChoice(app, "method", strings.method, app.shop.methods, METHODS);
  const scope = createChoice(app, "scope", strings.scope, app.shop.scopes, SCOPES);
  const metric = createChoice(app, "metric", strings.metric, app.shop.metrics, METRICS);
  const all = [method, scope, metric];
  const explanations = h("p.why.note");
  const update = () => {
    for (const each of all) each.update();
    metric.select.disabled = app.options.method === "likelihood"; // which is no distance
    metric.node.hidden = metric.select.disabled;
    const enabled = all.filter(({ select }) => !select.disabled);
    fill(explanations, ...enabled.flatMap(({ explanation }) => [explanation, " "]));
  };
  app.on("options", update);
  update();
  return [...all.map(({ node }) => node), explanations];
}

/**
 * @param {App} app @param {"method" | "scope" | "metric"} name @param {string} label
 * @param {string[]} values @param {import("../core/strings-results.js").Choices} texts
 */
function createChoice(app, name, label, values, texts) {
  const explanation = h(`span#${name}-why`);
  const select = h(
    `select#${name}`,
    { "aria-describedby": explanation.id, onchange: () => app.setOptions({ [name]: select.value }) },
    ...values.map((value) => h("option", { value }, texts[value]?.[0] ?? value)),
  );
  const update = () => {
    select.value = app.options[name];
    explanation.textContent = texts[select.value]?.[1] ?? "";
  };
  const node = h("div.choice", {}, h("label", { htmlFor: name }, label), select);
  return { select, explanation, update, node };
}
