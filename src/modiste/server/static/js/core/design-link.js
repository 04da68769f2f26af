// Links to a design: `#z=<design>&m=<render id>`.

import { dequantise, fromText } from "./design-codec.js";

/** @typedef {{code?: Float32Array, otherModel?: boolean, isPresent: boolean}} LinkedDesign */

/** The keys of a design in a URL's fragment. @param {string} design @param {string} renderId */
export const designKeys = (design, renderId) => ({ z: design, m: renderId });

/**
 * Read the design of a fragment. `isPresent` says whether it names a design, `otherModel` whether another model made
 * it; only a design that can be shown has a `code`.
 * @param {string} fragment @param {import("./store.js").App} app @returns {LinkedDesign}
 */
export function readDesign(fragment, app) {
  const pairs = new URLSearchParams(fragment);
  const design = pairs.get("z");
  if (design === null) return { isPresent: false };
  if (pairs.get("m") !== app.sliders.renderId) return { isPresent: true, otherModel: pairs.has("m") };
  const bytes = fromText(design, app.ranges.length);
  return bytes ? { isPresent: true, code: dequantise(bytes, app.ranges) } : { isPresent: true };
}

/** Return the studio's URL that opens the design. @param {import("./store.js").App} app */
export const linkTo = (app) =>
  `${location.origin}/#${new URLSearchParams(designKeys(app.designToken(), app.sliders.renderId))}`;
