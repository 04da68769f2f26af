// A product as a card. One card per product lives on while answers come and go, so nothing flickers.

import { fill, h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { CLOSENESS, words } from "../core/strings-results.js";
import { moveTowards, pinProduct, startFrom } from "../design/moves.js";
import { openPhoto } from "./open-photo.js";

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

/** A few of its attributes, as the shop's facets order them. @param {import("../core/store.js").App} app @param {Product} product */
export function fewWords(app, product) {
  const named = app.shop.facets.filter((/** @type {any} */ facet) => facet.kind === "words" && facet.name !== "category");
  const values = named.map((/** @type {any} */ facet) => product.attributes[facet.name]).filter((/** @type {any} */ value) => typeof value === "string");
  const plain = (/** @type {string} */ text) => text.toLowerCase();
  const said = [product.title, product.category].map(plain);
  const told = [...new Set(values)].filter((value) => !said.some((text) => text.includes(plain(value))));
  return (told.length ? told : [product.category]).slice(0, 2).map((value) => short(value, 40)).join(" · ");
}

/** Closeness as a word with five dots. @param {string} closeness */
export function closenessMark(closeness) {
  const near = CLOSENESS.indexOf(closeness) + 1;
  const dots = h("span.dots", { "aria-hidden": "true" });
  for (let i = 1; i <= CLOSENESS.length; i++) dots.append(h(i <= near ? "i.on" : "i"));
  return h("p.closeness", {}, dots, closeness);
}

/** A button of a card: what it does, and with which product. @param {string} word @param {Product} product */
const named = (word, product) => ({ type: "button", "aria-label": `${word}: ${short(product.title, 60)}`, title: word });

/** More and less of a product. @param {import("../core/store.js").App} app @param {Product} product */
function steps(app, product) {
  return h(
    "div.steps",
    {},
    h("button.less-like.on-photo", { ...named(words.lessLike, product), onclick: () => moveTowards(app, product, -0.3) }, icon("minus")),
    h("button.more-like.on-photo", { ...named(words.moreLike, product), onclick: () => moveTowards(app, product) }, icon("plus")),
  );
}

/** @param {import("../core/store.js").App} app @param {Product} product */
function pinButtons(app, product) {
  const make = (/** @type {"a" | "b"} */ end) => {
    const letter = end.toUpperCase();
    const pressed = app.pins[end]?.id === product.id;
    return h(`button.pin.on-photo.pin-${end}`, { ...named(words.pin(letter), product), "aria-pressed": pressed, onclick: () => pinProduct(app, end, product) }, letter);
  };
  return h("div.pins", {}, make("a"), make("b"));
}

export class Card {
  /** @param {import("../core/store.js").App} app @param {Product} product */
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
        steps(app, product),
      ),
      h("h4.name", { dir: "auto" }, title),
      few ? h("p.few", { dir: "auto" }, few) : null,
      this.closeness,
      h("button.start-from.link", { ...named(words.start, product), onclick: () => startFrom(app, product) }, words.start),
      h("details.score", {}, h("summary", {}, words.score, h("span.unseen", {}, ` ${short(product.title, 60)}`)), this.number),
    );
  }

  /** @param {Product} match @param {string} method */
  update(match, method) {
    if (match.closeness !== this.word) fill(this.closeness, closenessMark((this.word = match.closeness)));
    const number = Number(match.score).toPrecision(4).replace("-", "−");
    this.number.textContent = method === "likelihood" ? words.scoreOf.likelihood(number) : words.scoreOf.distance(number);
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
