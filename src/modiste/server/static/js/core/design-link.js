// Links to a design: `#z=<design>&m=<render id>`.

import { fetchProduct } from "./api.js";
import { dequantise, fromText } from "./design-codec.js";

/** @typedef {{code?: Float32Array, exemplar?: string, otherModel?: boolean, isPresent: boolean}} LinkedDesign */

/** The value of the exemplar's key for a design that is drawn without details. */
export const NO_DETAILS = "";

/** The keys of a design in a URL's fragment. @param {string} design @param {string} renderId @param {import("./api.js").Exemplar | null} [exemplar] */
export function designKeys(design, renderId, exemplar) {
  const keys = { z: design, m: renderId };
  return exemplar === undefined ? keys : { ...keys, e: exemplar?.id ?? NO_DETAILS };
}

/**
 * Read the design of a fragment. `isPresent` says whether it names a design, `otherModel` whether another model made
 * it; only a design that can be shown has a `code`. `exemplar` is the id of the product whose details it is drawn with,
 * NO_DETAILS, or undefined in a link that does not say.
 * @param {string} fragment @param {import("./store.js").App} app @returns {LinkedDesign}
 */
export function readDesign(fragment, app) {
  const pairs = new URLSearchParams(fragment);
  const design = pairs.get("z");
  if (design === null) return { isPresent: false };
  if (pairs.get("m") !== app.sliders.renderId) return { isPresent: true, otherModel: pairs.has("m") };
  const bytes = fromText(design, app.ranges.length);
  if (!bytes) return { isPresent: true };
  return { isPresent: true, code: dequantise(bytes, app.ranges), exemplar: pairs.get("e") ?? undefined };
}

/**
 * Return the exemplar of a linked design: null for none; undefined if the link does not say, or the product is gone.
 * @param {string | undefined} id @returns {Promise<import("./api.js").Exemplar | null | undefined>}
 */
export async function linkedExemplar(id) {
  if (id === undefined) return undefined;
  return id === NO_DETAILS ? null : fetchProduct(id).catch(() => undefined);
}

/** Return the studio's URL that opens the design. @param {import("./store.js").App} app */
export const linkTo = (app) =>
  `${location.origin}/#${new URLSearchParams(designKeys(app.designToken(), app.sliders.renderId, app.exemplar))}`;
