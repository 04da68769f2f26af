// A product as a card. One card per product lives on while answers come and go, so nothing flickers.

import { fill, h } from "./dom.js";
import { moveTowards, pinProduct, startFrom } from "./moves.js";
import { openPhoto } from "./photo.js";
import { CLOSENESS, words } from "./words-results.js";

/** @typedef {{id: string, title: string, category: string, attributes: Record<string, any>, photo: string, thumbnail: string, score?: number, closeness?: string}} Product */

const LONGEST = 120; // letters of a name that are said or kept in a label; the eye gets two lines

/** @param {string} text @param {number} [most] */
export function short(text, most = LONGEST) {
  return text.length > most ? `${text.slice(0, most - 1).trimEnd()}…` : text;
}

/** The address of a product's small photo. @param {Product} product @param {number} height */
export const thumbnail = (product, height) => `${product.thumbnail.split("?")[0]}?height=${height}`;

/** A photo on its white tile: never moves the page, never more than asked for. @param {Product} product @param {number} [height] @param {string} [alt] */
export function tile(product, height = 240, alt = short(product.title)) {
  return h("img.shot", { src: thumbnail(product, height), alt, loading: "lazy", decoding: "async", draggable: false });
}

/** A few of its attributes, as the shop's facets order them. @param {import("./store.js").App} app @param {Product} product */
export function fewWords(app, product) {
  const named = app.shop.facets.filter((/** @type {any} */ facet) => facet.kind === "words" && facet.name !== "category");
  const values = named.map((/** @type {any} */ facet) => product.attributes[facet.name]).filter((/** @type {any} */ value) => typeof value === "string");
  const told = [...new Set([...values, product.category])].filter((value) => !product.title.toLowerCase().includes(value.toLowerCase()));
  return told.slice(0, 3).map((value) => short(value, 40)).join(" · ");
}

/** Closeness as a word with five dots. @param {string} closeness */
export function closenessMark(closeness) {
  const near = CLOSENESS.indexOf(closeness) + 1;
  const dots = h("span.dots", { "aria-hidden": "true" });
  for (let i = 1; i <= CLOSENESS.length; i++) dots.append(h(i <= near ? "i.on" : "i"));
  return h("p.closeness", {}, dots, closeness);
}

/** @param {import("./store.js").App} app @param {Product} product */
function buttons(app, product) {
  const title = short(product.title, 60);
  const named = (/** @type {string} */ word) => ({ type: "button", "aria-label": `${word}: ${title}`, title: word });
  return h(
    "div.actions",
    {},
    h("button.start-from", { ...named(words.start), onclick: () => startFrom(app, product) }, words.start),
    h("button.more-like.round", { ...named(words.moreLike), onclick: () => moveTowards(app, product) }, "+"),
    h("button.less-like.round", { ...named(words.lessLike), onclick: () => moveTowards(app, product, -0.3) }, "−"),
  );
}

/** @param {import("./store.js").App} app @param {Product} product */
export function pinButtons(app, product) {
  const make = (/** @type {"a" | "b"} */ end) => {
    const name = words.pin(end.toUpperCase());
    return h(
      `button.pin.pin-${end}`,
      { type: "button", title: name, "aria-label": `${name}: ${short(product.title, 60)}`, "aria-pressed": app.pins[end]?.id === product.id, onclick: () => pinProduct(app, end, product) },
      end.toUpperCase(),
    );
  };
  return h("div.pins", {}, make("a"), make("b"));
}

export class Card {
  /** @param {import("./store.js").App} app @param {Product} product */
  constructor(app, product) {
    this.product = product;
    this.closeness = h("div");
    this.number = h("p");
    const title = short(product.title, 300);
    const few = fewWords(app, product);
    this.node = h(
      "article.card",
      { "data-product": product.id },
      h(
        "div.photo",
        {},
        h("button.enlarge", { type: "button", "aria-label": words.enlarge(short(product.title)), onclick: () => openPhoto(app, product) }, tile(product, 240, "")),
        pinButtons(app, product),
      ),
      h("h4.name", { dir: "auto" }, title),
      few ? h("p.few", { dir: "auto" }, few) : null,
      this.closeness,
      h("details.score", {}, h("summary", {}, words.score, h("span.unseen", {}, ` ${short(product.title, 60)}`)), this.number),
      buttons(app, product),
    );
  }

  /** @param {Product} match @param {string} method */
  update(match, method) {
    if (match.closeness !== this.word) fill(this.closeness, closenessMark((this.word = match.closeness)));
    const kind = method === "likelihood" ? words.scoreOf.likelihood : words.scoreOf.distance;
    this.number.textContent = `${Number(match.score).toPrecision(4)}: ${kind}`;
  }

  /** Without a score, where none was asked for. */
  plain() {
    this.node.querySelector(".score").remove();
    this.closeness.remove();
  }

  /** @param {{a: any, b: any}} pins */
  updatePins(pins) {
    for (const end of /** @type {const} */ (["a", "b"])) this.node.querySelector(`.pin-${end}`).setAttribute("aria-pressed", String(pins[end]?.id === this.product.id));
  }
}
