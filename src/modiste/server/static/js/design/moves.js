// Moves of the design that use a product: to it, towards it, away from it.

import { ApiError, fetchProduct } from "../core/api.js";
import { clamp, quantise } from "../core/design-codec.js";
import { strings } from "../core/strings-results.js";
import { toast } from "../core/toast.js";

/** @typedef {import("../core/api.js").ProductDetail} ProductDetail */

/** The share of the way that "more like this" moves. "Less like this" moves as far away. */
export const STEP = 0.3;
const CACHED_PRODUCTS = 2000;

/** @type {Map<string, Promise<ProductDetail>>} */
const cache = new Map();

/** Return a product with its code; each one is requested once. @param {string} id @returns {Promise<ProductDetail>} */
export function cachedProduct(id) {
  const cached = cache.get(id);
  if (cached) return cached;
  const product = fetchProduct(id);
  product.catch(() => cache.delete(id));
  cache.set(id, product);
  if (cache.size > CACHED_PRODUCTS) cache.delete(/** @type {string} */ (cache.keys().next().value));
  return product;
}

/** Make the design a product, as the model draws it. @param {import("../core/store.js").App} app @param {{id: string, title: string}} product */
export const startFrom = (app, product) =>
  toastErrors(app, async () => {
    const detail = await cachedProduct(product.id);
    const origin = /** @type {const} */ ({ kind: "product", id: product.id, title: product.title });
    app.setCode(detail.code, { origin, exemplar: detail });
    toast(app, strings.started(product.title));
  });

/** Draw the design with the details of a product. @param {import("../core/store.js").App} app @param {{id: string, title: string}} product */
export const useDetails = (app, product) =>
  toastErrors(app, async () => {
    app.setCode(app.code, { exemplar: await cachedProduct(product.id) });
    toast(app, strings.detailsUsed(product.title));
  });

/**
 * Move the design a share of the way towards a product; a negative share moves away. Locked latents keep their values.
 * @param {import("../core/store.js").App} app @param {{id: string, title: string}} product @param {number} [share]
 */
export const moveTowards = (app, product, share = STEP) =>
  toastErrors(app, async () => {
    const { code } = await cachedProduct(product.id);
    const moved = Array.from(app.code, (x, i) => x + share * (code[i] - x));
    const target = clamp(app.withLocks(moved), app.ranges);
    const before = quantise(app.code, app.ranges);
    const isMove = quantise(target, app.ranges).some((byte, i) => byte !== before[i]);
    if (isMove) app.setCode(target);
    const text = share > 0 ? strings.movedTowards(product.title) : strings.movedAway(product.title);
    toast(app, isMove ? text : strings.cannotMove);
  });

/** Pin a product as one end of an interpolation. @param {import("../core/store.js").App} app @param {"a" | "b"} end @param {import("../core/api.js").Product} product */
export const pinProduct = (app, end, product) =>
  toastErrors(app, async () => {
    const detail = await cachedProduct(product.id);
    pin(app, end, {
      code: clamp(detail.code, app.ranges),
      title: product.title,
      url: product.photo,
      id: product.id,
      exemplar: detail,
    });
  });

/** @param {import("../core/store.js").App} app @param {"a" | "b"} end @param {import("../core/store.js").Pin} design */
export function pin(app, end, design) {
  app.pins = { ...app.pins, [end]: design };
  app.emit("pins");
  toast(app, strings.pinned(design.title, end.toUpperCase()));
}

/** Run an action; show the message if a request of it fails. @param {import("../core/store.js").App} app @param {() => Promise<void>} action */
export async function toastErrors(app, action) {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(app, error.message);
  }
}
