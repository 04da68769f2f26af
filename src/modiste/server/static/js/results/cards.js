// Product cards. A card is kept and updated from one result to the next, so that nothing flickers.

import { fill, h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { shorten } from "../core/strings.js";
import { CLOSENESS, strings } from "../core/strings-results.js";
import { moveTowards, pinProduct, STEP, startFrom, useDetails } from "../design/moves.js";
import { openPhoto } from "./open-photo.js";

/** @typedef {import("../core/api.js").Product} Product */
/** @typedef {import("../core/api.js").Match} Match */
/** @typedef {import("../core/store.js").App} App */

/** The URL of a product's photo at a height. @param {Product} product @param {number} height in pixels */
const photoUrl = (product, height) => `${product.thumbnail.split("?")[0]}?height=${height}`;

/** Return a product's photo. @param {Product} product @param {number} height in pixels @param {string} [alt] */
export const photo = (product, height, alt = "") =>
  h("img.photo", {
    src: photoUrl(product, height),
    alt,
    loading: "lazy",
    decoding: "async",
    draggable: false,
  });

/** Return a product's photo as a button that enlarges it. @param {App} app @param {Product} product @param {number} height in pixels */
export const enlargeButton = (app, product, height) =>
  h(
    "button.enlarge",
    {
      type: "button",
      "aria-label": strings.enlarge(shorten(product.title)),
      onclick: () => openPhoto(app, product),
    },
    photo(product, height),
  );

/** Return two attributes that the title does not say already; the category if there are none. @param {App} app @param {Product} product */
export function summaryOf(app, product) {
  const facets = app.shop.facets.filter(({ kind, name }) => kind === "words" && name !== "category");
  const values = new Set(facets.map(({ name }) => product.attributes[name]));
  const known = `${product.title}\n${product.category}`.toLowerCase();
  const news = [...values].filter(
    (value) => typeof value === "string" && !known.includes(value.toLowerCase()),
  );
  return (news.length ? news : [product.category])
    .slice(0, 2)
    .map((value) => shorten(value, 40))
    .join(" · ");
}

/** Return the closeness as five dots and a word. @param {string} closeness */
export function closenessMark(closeness) {
  const filled = CLOSENESS.indexOf(closeness) + 1;
  const dots = CLOSENESS.map((_, i) => h(i < filled ? "i.on" : "i"));
  return h("p.closeness", {}, h("span.dots", { "aria-hidden": "true" }, ...dots), closeness);
}

/** The properties of a card's button. @param {string} label @param {Product} product */
const labelled = (label, product) => ({
  type: "button",
  "aria-label": `${label}: ${shorten(product.title, 60)}`,
  title: label,
});

/** @param {App} app @param {Product} product */
function moveButtons(app, product) {
  const move = (/** @type {number} */ share) => () => moveTowards(app, product, share);
  return h(
    "div.steps",
    {},
    h(
      "button.less-like.on-photo",
      { ...labelled(strings.lessLike, product), onclick: move(-STEP) },
      icon("minus"),
    ),
    h(
      "button.more-like.on-photo",
      { ...labelled(strings.moreLike, product), onclick: move(STEP) },
      icon("plus"),
    ),
  );
}

/** @param {App} app @param {Product} product @param {"a" | "b"} end */
function pinButton(app, product, end) {
  const letter = end.toUpperCase();
  const properties = {
    ...labelled(strings.pin(letter), product),
    "aria-pressed": app.pins[end]?.id === product.id,
    onclick: () => pinProduct(app, end, product),
  };
  return h(`button.pin.on-photo.pin-${end}`, properties, letter);
}

export class Card {
  /** @param {App} app @param {Product} product */
  constructor(app, product) {
    this.product = product;
    this.pins = { a: pinButton(app, product, "a"), b: pinButton(app, product, "b") };
    this.closenessBox = h("div");
    this.closeness = "";
    this.scoreText = h("p");
    const summary = summaryOf(app, product);
    this.score = h(
      "details.score",
      {},
      h("summary", {}, strings.score, h("span.visually-hidden", {}, ` ${shorten(product.title, 60)}`)),
      this.scoreText,
    );
    this.node = h(
      "article.card",
      { "data-product": product.id },
      h(
        "div.photo-box",
        {},
        enlargeButton(app, product, 240),
        h("div.pins", {}, this.pins.a, this.pins.b),
        moveButtons(app, product),
      ),
      h("h4.name", { dir: "auto", title: shorten(product.title, 300) }, shorten(product.title, 300)),
      summary ? h("p.summary", { dir: "auto" }, summary) : null,
      this.closenessBox,
      h(
        "button.start-from.link",
        { ...labelled(strings.start, product), onclick: () => startFrom(app, product) },
        strings.start,
      ),
      h(
        "button.use-details.link",
        { ...labelled(strings.useDetails, product), onclick: () => useDetails(app, product) },
        strings.useDetails,
      ),
      this.score,
    );
  }

  /** @param {Match} match @param {string} method */
  update(match, method) {
    if (match.closeness !== this.closeness) {
      this.closeness = match.closeness;
      fill(this.closenessBox, closenessMark(match.closeness));
    }
    const number = match.score.toPrecision(4).replace("-", "−");
    const describe = method === "likelihood" ? strings.scoreOf.likelihood : strings.scoreOf.distance;
    this.scoreText.textContent = describe(number);
  }

  /** Remove score and closeness, for a product that was not searched for. */
  withoutScore() {
    this.score.remove();
    this.closenessBox.remove();
    return this;
  }

  /** @param {App["pins"]} pins */
  updatePins(pins) {
    this.pins.a.setAttribute("aria-pressed", String(pins.a?.id === this.product.id));
    this.pins.b.setAttribute("aria-pressed", String(pins.b?.id === this.product.id));
  }
}
