// A design as an address: what a fragment holds, and the link that holds a design.

import { dequantise, fromText } from "./design-codec.js";

/**
 * The design that a fragment holds. @param {string} fragment "z=…&m=…" @param {import("./store.js").App} app
 * @returns {{code?: Float32Array, other?: boolean, asked: boolean}} `other`: made with another model; `asked`: it holds one at all
 */
export function designOf(fragment, app) {
  const pairs = new URLSearchParams(fragment);
  const z = pairs.get("z");
  if (z === null) return { asked: false };
  if (pairs.get("m") !== app.sliders.frames) return { asked: true, other: pairs.has("m") };
  const bytes = fromText(z, app.ranges.length);
  return bytes ? { asked: true, code: dequantise(bytes, app.ranges) } : { asked: true };
}

/** The address that opens the design, whichever page this is. @param {import("./store.js").App} app */
export const linkTo = (app) => `${location.origin}/#z=${app.z()}&m=${encodeURIComponent(app.sliders.frames)}`;
