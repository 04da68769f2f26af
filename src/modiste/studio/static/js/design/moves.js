// Moves of the design that begin at a product: to it, towards it, away from it.

import { get } from "../core/api.js";
import { clamp, quantise } from "../core/design-codec.js";
import { words } from "../core/strings-results.js";
import { toast } from "../core/toast.js";

const STEP = 0.3; // of the way, for "more like this" and "less like this"

/** @type {Map<string, Promise<any>>} */
const known = new Map();

/** The path of a product of the API. @param {string} id */
export const pathOf = (id) => `/v1/products/${encodeURIComponent(id)}`;

/** A product with its code, asked for once. @param {string} id @returns {Promise<any>} */
export function productOf(id) {
  let asked = known.get(id);
  if (!asked) {
    asked = get(pathOf(id));
    asked.catch(() => known.delete(id));
    known.set(id, asked);
    if (known.size > 2000) known.delete(/** @type {string} */ (known.keys().next().value));
  }
  return asked;
}

/** Make the design what the model makes of a product. @param {import("../core/store.js").App} app @param {{id: string, title: string}} product */
export const startFrom = (app, product) =>
  trying(app, async () => {
    const { code } = await productOf(product.id);
    app.setCode(code, { origin: { kind: "product", id: product.id, title: product.title } });
    toast(app, words.started(product.title));
  });

/**
 * Move the design a share of the way towards a product; a negative share moves away. Locked latents stay.
 * @param {import("../core/store.js").App} app @param {{id: string, title: string}} product @param {number} [share]
 */
export const moveTowards = (app, product, share = STEP) =>
  trying(app, async () => {
    const { code } = await productOf(product.id);
    const there = clamp(app.held(Array.from(app.code, (here, i) => here + share * (code[i] - here))), app.ranges);
    const moved = quantise(there, app.ranges).some((byte, i) => byte !== quantise(app.code, app.ranges)[i]);
    if (moved) app.setCode(there);
    toast(app, !moved ? words.atEdge : share > 0 ? words.moved(product.title) : words.movedAway(product.title));
  });

/** Pin a product as one end of "between". @param {import("../core/store.js").App} app @param {"a" | "b"} end @param {any} product */
export const pinProduct = (app, end, product) =>
  trying(app, async () => {
    const { code } = await productOf(product.id);
    pin(app, end, { code: clamp(code, app.ranges), title: product.title, url: product.photo, id: product.id });
  });

/** @param {import("../core/store.js").App} app @param {"a" | "b"} end @param {{code: Float32Array, title: string, url: string, id?: string}} pinned */
export function pin(app, end, pinned) {
  app.pins = { ...app.pins, [end]: pinned };
  app.emit("pins");
  toast(app, words.pinned(pinned.title, end.toUpperCase()));
}

/** @param {import("../core/store.js").App} app @param {() => Promise<void>} action */
export async function trying(app, action) {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof Error) || !("status" in error)) throw error;
    toast(app, error.message);
  }
}
