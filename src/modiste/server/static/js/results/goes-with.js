// Recommendations: one row for each other category, with a chosen product and others to choose from.

import { fetchProduct, fetchRecommendations } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { LiveQuery, skeletons } from "../core/live-query.js";
import { shorten } from "../core/strings.js";
import { strings } from "../core/strings-results.js";
import { toast } from "../core/toast.js";
import { fromFragment } from "../core/url-fragment.js";
import { enlargeButton, photo, summaryOf } from "./cards.js";
import { showEmpty } from "./empty.js";
import { mount as mountLook } from "./look.js";
import { parseProductIds } from "./saved-looks.js";

const REQUESTED_PRODUCTS = 12; // of each category
const OTHER_PRODUCTS = 6; // shown beside the chosen one
const SKELETON_ROWS = 4;

/** @typedef {import("../core/api.js").Product} Product */
/** @typedef {import("../core/store.js").App} App */

/** The recommendations of one category. */
class Row {
  /** @param {App} app @param {string} category @param {() => void} onChange called when another product is chosen */
  constructor(app, category, onChange) {
    this.app = app;
    this.category = category;
    this.onChange = onChange;
    /** @type {Product[]} */
    this.results = [];
    /** @type {Product | null} */
    this.chosen = null;
    this.isKept = false;
    const name = shorten(category, 60);
    this.chosenBox = h("div.chosen");
    this.others = h("ul.others", { "aria-label": strings.others(name) });
    /** @param {string} kind @param {string} text @param {string} label @param {() => void} onclick */
    const button = (kind, text, label, onclick) =>
      h(`button.plain.slim.${kind}`, { type: "button", "aria-label": label, title: label, onclick }, text);
    this.swapButton = button("swap", strings.swap, strings.swapLabel(name), () => this.chooseNext());
    this.keepButton = button("keep", strings.keep, strings.keepLabel(name), () => this.setKept(!this.isKept));
    this.shuffleButton = button("shuffle", strings.shuffle, strings.shuffleLabel(name), () =>
      this.chooseRandom(),
    );
    this.emptyBox = h("div", { hidden: true });
    this.node = h(
      "section.goes-row",
      { "data-category": category, "aria-label": name },
      h(
        "div.row-head",
        {},
        h("h4", { dir: "auto" }, name),
        h("div.row-tools", {}, this.swapButton, this.keepButton, this.shuffleButton),
      ),
      this.chosenBox,
      this.others,
      this.emptyBox,
    );
    this.setKept(false);
  }

  /** Show new results; a kept product stays. @param {Product[]} results */
  update(results) {
    this.results = results;
    if (!this.isKept) this.chosen = results[0] ?? null;
    this.draw();
  }

  /** @param {Product | undefined} product */
  choose(product) {
    if (!product) return;
    this.chosen = product;
    this.draw();
    this.app.announce(strings.choice(shorten(product.title), this.category));
    this.onChange();
  }

  chooseNext() {
    const index = this.results.findIndex(({ id }) => id === this.chosen?.id);
    this.choose(this.results[(index + 1) % this.results.length]);
  }

  chooseRandom() {
    const others = this.results.filter(({ id }) => id !== this.chosen?.id);
    this.choose(others[Math.floor(Math.random() * others.length)]);
  }

  /** @param {boolean} isKept */
  setKept(isKept) {
    this.isKept = isKept;
    this.keepButton.setAttribute("aria-pressed", String(isKept));
    this.keepButton.textContent = isKept ? strings.kept : strings.keep;
    this.node.classList.toggle("kept", isKept);
  }

  draw() {
    const { chosen, app } = this;
    this.emptyBox.hidden = Boolean(chosen);
    this.chosenBox.hidden = this.others.hidden = !chosen;
    this.swapButton.disabled = this.shuffleButton.disabled = this.results.length < 2;
    this.keepButton.disabled = !chosen;
    if (!chosen) {
      showEmpty(this.emptyBox, app, false);
      return;
    }
    if (this.chosenBox.dataset.product !== chosen.id) {
      this.chosenBox.dataset.product = chosen.id;
      fill(
        this.chosenBox,
        enlargeButton(app, chosen, 240),
        h("p.name", { dir: "auto", title: shorten(chosen.title, 300) }, shorten(chosen.title, 300)),
        h("p.summary", { dir: "auto" }, summaryOf(app, chosen)),
      );
    }
    const hadFocus = this.others.contains(document.activeElement);
    const others = this.results.filter(({ id }) => id !== chosen.id).slice(0, OTHER_PRODUCTS);
    fill(this.others, ...others.map((product) => this.otherItem(product)));
    if (hadFocus) this.others.querySelector("button")?.focus();
  }

  /** @param {Product} product */
  otherItem(product) {
    const title = shorten(product.title);
    const properties = {
      type: "button",
      "aria-label": strings.choice(title, this.category),
      title,
      onclick: () => this.choose(product),
    };
    return h("li", {}, h("button.enlarge", properties, photo(product, 120)));
  }
}

/** @param {HTMLElement} root @param {App} app */
export function mount(root, app) {
  const container = h("div#goes-with");
  const look = h("section#look", { "aria-labelledby": "look-title" });
  const heading = h("div.heading", {}, h("h3", {}, strings.goesWith), h("p.note", {}, strings.goesWithNote));
  root.append(heading, container, look);
  if (app.shop.categories.length < 2) {
    const note = h("p.note", {}, strings.oneCategoryNote);
    fill(container, h("div.empty", {}, h("p.big", {}, strings.oneCategory), note));
    look.remove();
    return;
  }

  /** @type {Map<string, Row>} by category */
  const rows = new Map();
  const updateLook = () => {
    app.look = [...rows.values()].flatMap(({ node, chosen, category, isKept }) =>
      node.isConnected && chosen ? [{ category, product: chosen, isKept }] : [],
    );
    app.emit("results", "look");
  };
  /** @param {string} category */
  const rowOf = (category) => {
    const row = rows.get(category) ?? new Row(app, category, updateLook);
    rows.set(category, row);
    return row;
  };

  const query = new LiveQuery(container, app, {
    fetch(signal) {
      const { method, metric, where } = app.options;
      const { category: _, ...filters } = where; // each row is one category
      const k = Math.min(REQUESTED_PRODUCTS, app.shop.products);
      return fetchRecommendations({ code: app.roundedCode(), k, method, metric, where: filters }, signal);
    },
    show(recommendations) {
      const nodes = recommendations.map(({ category, results }) => {
        const row = rowOf(category);
        row.update(results);
        return row.node;
      });
      // A kept row stays, even if the design is now of its category.
      for (const { isKept, node } of rows.values()) if (isKept && !nodes.includes(node)) nodes.push(node);
      const isSame = nodes.length === container.children.length;
      if (!isSame || nodes.some((node, i) => node !== container.children[i])) fill(container, ...nodes);
      updateLook();
    },
    skeleton: () => skeletons(Math.min(app.shop.categories.length - 1, SKELETON_ROWS), "block"),
  });

  /** Show and keep the products of a look. @param {string[]} ids @returns {Promise<number>} how many are no longer in the shop */
  async function showLook(ids) {
    for (const row of rows.values()) row.setKept(false);
    const products = await Promise.allSettled(ids.map(fetchProduct));
    for (const product of products) {
      if (product.status !== "fulfilled") continue;
      const row = rowOf(product.value.category);
      row.setKept(true);
      row.choose(product.value);
    }
    await query.run();
    return products.filter(({ status }) => status === "rejected").length;
  }

  mountLook(look, app, showLook);
  app.on("settled", () => query.run());
  app.on("options", () => query.run());
  const shared = fromFragment("look");
  if (!shared) {
    query.run();
    return;
  }
  showLook(parseProductIds(shared)).then((missing) => {
    if (missing) toast(app, strings.lookMissing(missing));
  });
}
