// What goes with the design: a row for each other category, one product of it chosen, its neighbours beside it.

import { get, post } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { Asker, skeletons } from "../core/live-query.js";
import { words } from "../core/strings-results.js";
import { toast } from "../core/toast.js";
import { fromFragment } from "../core/url-fragment.js";
import { pathOf } from "../design/moves.js";
import { fewWords, short, tile } from "./cards.js";
import { empty } from "./empty.js";
import { mount as mountLook } from "./look.js";
import { openPhoto } from "./open-photo.js";

const ASKED = 12; // of each category
const BESIDE = 6; // others shown beside the chosen one

/** One category's row. */
class Row {
  /** @param {import("../core/store.js").App} app @param {string} category @param {() => void} changed */
  constructor(app, category, changed) {
    this.app = app;
    this.category = category;
    this.changed = changed;
    /** @type {any[]} */
    this.results = [];
    /** @type {any} */
    this.chosen = null;
    this.kept = false;
    const name = short(category, 60);
    this.main = h("div.chosen");
    this.others = h("ul.others", { "aria-label": words.others(name) });
    const button = (/** @type {string} */ kind, /** @type {string} */ word, /** @type {string} */ label, /** @type {() => void} */ action) =>
      h(`button.plain.slim.${kind}`, { type: "button", "aria-label": label, title: label, onclick: action }, word);
    this.swap = button("swap", words.swap, words.swapIn(name), () => this.choose(this.results[(this.place() + 1) % this.results.length]));
    this.keep = button("lock", words.lock, words.lockIn(name), () => this.setKept(!this.kept));
    this.roll = button("reroll", words.reroll, words.rerollIn(name), () => this.reroll());
    this.none = h("div", { hidden: true });
    this.node = h(
      "section.goes-row",
      { "data-category": category, "aria-label": name },
      h("div.row-head", {}, h("h4", { dir: "auto" }, name), h("div.row-tools", {}, this.swap, this.keep, this.roll)),
      this.main,
      this.others,
      this.none,
    );
    this.setKept(false);
  }

  place() {
    return this.results.findIndex((each) => each.id === this.chosen?.id);
  }

  /** @param {any[]} results the newest answer: what is kept stays, the rest follows the design */
  update(results) {
    this.results = results;
    if (!this.kept) this.chosen = results[0] ?? null;
    this.draw();
  }

  /** @param {any} product */
  choose(product) {
    if (!product) return;
    this.chosen = product;
    this.draw();
    this.app.announce(words.chose(short(product.title), this.category));
    this.changed();
  }

  reroll() {
    const others = this.results.filter((each) => each.id !== this.chosen?.id);
    this.choose(others[Math.floor(Math.random() * others.length)]);
  }

  /** @param {boolean} kept */
  setKept(kept) {
    this.kept = kept;
    this.keep.setAttribute("aria-pressed", String(kept));
    this.keep.textContent = kept ? words.locked : words.lock;
    this.node.classList.toggle("kept", kept);
  }

  draw() {
    const { chosen, app } = this;
    this.none.hidden = Boolean(chosen);
    this.main.hidden = this.others.hidden = !chosen;
    for (const each of [this.swap, this.roll]) each.disabled = this.results.length < 2;
    this.keep.disabled = !chosen;
    if (!chosen) return empty(this.none, app, false);
    if (this.main.dataset.product !== chosen.id) {
      this.main.dataset.product = chosen.id;
      const few = fewWords(app, chosen);
      fill(
        this.main,
        h("button.enlarge", { type: "button", "aria-label": words.enlarge(short(chosen.title)), onclick: () => openPhoto(app, chosen) }, tile(chosen, 240, "")),
        h("p.name", { dir: "auto" }, short(chosen.title, 300)),
        h("p.few", { dir: "auto" }, few),
      );
    }
    const beside = this.results.filter((each) => each.id !== chosen.id).slice(0, BESIDE);
    const active = this.others.contains(document.activeElement);
    fill(
      this.others,
      ...beside.map((each) =>
        h("li", {}, h("button.enlarge", { type: "button", "aria-label": words.chose(short(each.title), this.category), title: short(each.title), onclick: () => this.choose(each) }, tile(each, 120, ""))),
      ),
    );
    if (active) this.others.querySelector("button")?.focus();
  }
}

/** @param {HTMLElement} root @param {import("../core/store.js").App} app */
export function mount(root, app) {
  const place = h("div#goes-with");
  const look = h("section#look", { "aria-labelledby": "look-title" });
  root.append(h("div.heading", {}, h("h3", {}, words.goesWith), h("p.note", {}, words.goesWithNote)), place, look);
  if (app.shop.categories.length < 2) {
    fill(place, h("div.empty", {}, h("p.big", {}, words.oneCategory), h("p.note", {}, words.oneCategoryNote)));
    look.remove();
    return;
  }

  /** @type {Map<string, Row>} */
  const rows = new Map();
  const changed = () => {
    app.goesWith = [...rows.values()].filter((row) => row.node.isConnected && row.chosen).map((row) => ({ category: row.category, product: row.chosen, kept: row.kept }));
    app.emit("results", "goes-with");
  };
  const rowOf = (/** @type {string} */ category) => {
    let row = rows.get(category);
    if (!row) rows.set(category, (row = new Row(app, category, changed)));
    return row;
  };

  const asker = new Asker(place, app, {
    ask: (signal) => {
      const { method, metric, where } = app.options;
      const { category: _, ...rest } = /** @type {Record<string, any>} */ (where); // the rows are by category already
      return post("/v1/recommend", { code: app.asked(), k: Math.min(ASKED, app.shop.products), method, metric, by: "category", where: rest }, signal);
    },
    show: (answer) => {
      const shown = answer.recommendations.map((/** @type {any} */ each) => {
        const row = rowOf(each.category);
        row.update(each.results);
        return row.node;
      });
      // A row that is kept stays, though the design may now be of its own category.
      for (const row of rows.values()) if (row.kept && !shown.includes(row.node)) shown.push(row.node);
      if (shown.length !== place.children.length || shown.some((/** @type {Node} */ node, /** @type {number} */ i) => node !== place.children[i])) fill(place, ...shown);
      changed();
    },
    skeleton: () => skeletons(Math.min(app.shop.categories.length - 1, 4), "block"),
  });

  /** Show the products of a look, kept. @param {string[]} ids @returns {Promise<number>} how many are gone */
  async function wear(ids) {
    for (const row of rows.values()) row.setKept(false);
    const found = await Promise.allSettled(ids.map((id) => get(pathOf(id))));
    for (const each of found) {
      if (each.status !== "fulfilled") continue;
      const row = rowOf(each.value.category);
      row.setKept(true);
      row.choose(each.value);
    }
    await asker.run();
    return found.filter((each) => each.status === "rejected").length;
  }

  mountLook(look, app, wear);
  app.on("settle", () => asker.run());
  app.on("options", () => asker.run());
  const shared = fromFragment("look");
  if (shared) wear(shared.split(",").map(decodeSafely)).then((gone) => gone && toast(app, words.lookGone(gone)));
  else asker.run();
}

/** @param {string} text */
function decodeSafely(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
