// The real products nearest to the design, as cards that live on from answer to answer.

import { post } from "../core/api.js";
import { byId, debounced, fill, h } from "../core/dom.js";
import { loadModule } from "../core/lazy.js";
import { Asker, skeletons } from "../core/live-query.js";
import { reorder } from "../core/reorder.js";
import { METHODS, METRICS, SCOPES, words } from "../core/strings-results.js";
import { Card, short } from "./cards.js";
import { empty } from "./empty.js";
import { productCount } from "./limits.js";

const KEPT = 200; // cards kept for when their products come back

/** @param {HTMLElement} root @param {import("../core/store.js").App} app */
export function mount(root, app) {
  const list = h("ul#similar.cards", { "aria-labelledby": "similar-title" });
  const none = h("div", { hidden: true });
  const all = h("button.plain.show-all", { type: "button", "aria-controls": "similar", onclick: () => showAll() }, words.more(productCount(app)));
  const compare = h("button#compare.plain", { type: "button", "aria-pressed": "false", onclick: () => switchView() }, words.compare);
  const view = h("div#compare-view", { hidden: true });
  const single = h("div.single", {}, list, none, all);
  root.append(
    h("div.heading", {}, h("h3#similar-title", {}, words.similar), h("p.note", {}, words.similarNote)),
    h("div.ranking", {}, ...selects(app), compare),
    single,
    view,
  );

  /** @type {Map<string, {card: Card, item: HTMLElement}>} */
  const cards = new Map();
  const say = debounced((text) => app.announce(text), 700);

  /** @param {any} answer */
  function show(answer) {
    app.similar = answer;
    const items = answer.results.map((/** @type {any} */ match) => itemOf(match, answer.method));
    none.hidden = items.length > 0;
    list.hidden = !none.hidden;
    if (items.length === 0) empty(none, app, true);
    all.hidden = items.length <= 6 || list.classList.contains("all");
    reorder(list, items);
    const first = answer.results[0];
    say(first ? words.found(items.length, short(first.title, 60), first.closeness) : words.foundNone);
    app.emit("results", "similar");
  }

  /** @param {any} match @param {string} method */
  function itemOf(match, method) {
    let held = cards.get(match.id);
    if (!held) {
      const card = new Card(app, match);
      held = { card, item: h("li", {}, card.node) };
    }
    cards.delete(match.id); // to the end: the map's order is the order of use
    cards.set(match.id, held);
    if (cards.size > KEPT) cards.delete(/** @type {string} */ (cards.keys().next().value));
    held.card.update(match, method);
    held.card.updatePins(app.pins);
    return held.item;
  }

  function showAll() {
    list.classList.add("all");
    all.hidden = true;
    list.children[6]?.querySelector("button")?.focus();
  }

  /** @type {{run: () => void} | null} */
  let comparing = null;
  async function switchView() {
    const on = compare.getAttribute("aria-pressed") !== "true";
    compare.setAttribute("aria-pressed", String(on));
    compare.textContent = on ? words.back : words.compare;
    single.hidden = on;
    view.hidden = !on;
    byId("method").parentElement.hidden = on; // each list has its own
    byId("method-why").hidden = on;
    if (!on) return;
    const part = await loadModule(app, () => import("./compare.js"));
    comparing ??= part?.mount(view, app) ?? null;
    comparing?.run();
  }

  const asker = new Asker(list, app, {
    ask: (signal) => {
      const { method, metric, scope, where } = app.options;
      return post("/v1/similar", { code: app.asked(), k: productCount(app), method, metric, scope, where }, signal);
    },
    show,
    skeleton: () => skeletons(productCount(app), "tall"),
  });
  const ask = () => {
    asker.run();
    if (!view.hidden) comparing?.run();
  };
  app.on("settle", ask);
  app.on("options", ask);
  app.on("pins", () => cards.forEach(({ card }) => card.updatePins(app.pins)));
  asker.run();
}

/** Method, scope and metric, with what they mean. @param {import("../core/store.js").App} app */
function selects(app) {
  const all = [
    choice(app, "method", words.method, app.shop.methods, METHODS),
    choice(app, "scope", words.scope, app.shop.scopes, SCOPES),
    choice(app, "metric", words.metric, app.shop.metrics, METRICS),
  ];
  const why = h("p.why.note");
  const apply = () => {
    for (const each of all) each.apply();
    const metric = all[2];
    metric.select.disabled = app.options.method === "likelihood"; // it measures no distance
    metric.node.hidden = metric.select.disabled;
    fill(why, ...all.filter((each) => !each.select.disabled).flatMap((each) => [each.why, " "]));
  };
  app.on("options", apply);
  apply();
  return [...all.map((each) => each.node), why];
}

/**
 * @param {import("../core/store.js").App} app @param {"method" | "scope" | "metric"} name @param {string} label
 * @param {string[]} allowed @param {Record<string, string[]>} told a short name and a sentence for each
 */
function choice(app, name, label, allowed, told) {
  const why = h(`span#${name}-why`);
  const select = h(
    `select#${name}`,
    { "aria-describedby": why.id, onchange: () => app.setOptions({ [name]: select.value }) },
    ...allowed.map((each) => h("option", { value: each }, told[each]?.[0] ?? each)),
  );
  const apply = () => {
    select.value = app.options[name];
    why.textContent = told[select.value]?.[1] ?? "";
  };
  return { select, why, apply, node: h("div.choice", {}, h("label", { htmlFor: name }, label), select) };
}
