// The results at a glance: the nearest products and one of each other category, small, beside the sliders.

import { fill, h } from "../core/dom.js";
import { shorten } from "../core/strings.js";
import { strings } from "../core/strings-results.js";
import { photo } from "./cards.js";
import { openPhoto } from "./open-photo.js";

const NEAREST = 4;
const OTHERS = 3; // categories
const PHOTO_HEIGHT = 160; // pixels, for sharp screens

/** @typedef {import("../core/api.js").Product} Product */

/** @param {HTMLElement} root the section `#glance` @param {import("../core/store.js").App} app */
export function mount(root, app) {
  const nearest = h("ul", { "aria-label": strings.similar });
  const others = h("ul", { "aria-label": strings.goesWith });
  fill(
    root,
    h("div", {}, h("p.glance-title", { "aria-hidden": "true" }, strings.similar), nearest),
    h("div.others-part", {}, h("p.glance-title", { "aria-hidden": "true" }, strings.goesWith), others),
  );
  /** @type {Map<string, HTMLElement>} by product: kept, so that pictures do not flicker */
  const items = new Map();

  /** @param {HTMLElement} list @param {Product[]} products */
  function show(list, products) {
    fill(list, ...products.map(itemOf));
  }

  /** @param {Product} product */
  function itemOf(product) {
    const item = items.get(product.id) ?? createItem(product);
    items.delete(product.id);
    items.set(product.id, item);
    return item;
  }

  /** @param {Product} product */
  function createItem(product) {
    const title = shorten(product.title);
    return h(
      "li",
      {},
      h(
        "button.enlarge",
        {
          type: "button",
          "aria-label": strings.enlarge(title),
          title,
          onclick: () => openPhoto(app, product),
        },
        photo(product, PHOTO_HEIGHT),
      ),
    );
  }

  app.on("results", (kind) => {
    if (kind === "similar") show(nearest, (app.similar?.results ?? []).slice(0, NEAREST));
    else
      show(
        others,
        app.look.slice(0, OTHERS).map(({ product }) => product),
      );
    for (const id of [...items.keys()].slice(0, -50)) items.delete(id);
  });
}
