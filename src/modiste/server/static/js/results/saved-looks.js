// Looks in the browser's storage and in links.

import { designKeys } from "../core/design-link.js";

const KEY = "modiste-looks";
const MAX_LOOKS = 50; // the oldest are deleted

/** @typedef {{name: string, m: string, z: string, e?: string, products: string[]}} Look a design, as `designKeys` returns it, and product ids */

/**
 * @param {string} name @param {import("../core/store.js").App} app its design @param {string[]} products
 * @returns {Look}
 */
export const createLook = (name, app, products) => ({
  name,
  ...designKeys(app.designToken(), app.sliders.renderId, app.exemplar),
  products,
});

/** Read the stored looks; none if storage is blocked or its content is damaged. @returns {Look[]} */
export function readLooks() {
  try {
    return parseLooks(localStorage.getItem(KEY));
  } catch {
    return [];
  }
}

/** @param {string | null} text JSON @returns {Look[]} without entries that are no looks */
export function parseLooks(text) {
  const looks = JSON.parse(text ?? "[]");
  /** @param {any} look */
  const isLook = (look) =>
    typeof look?.name === "string" && typeof look.z === "string" && Array.isArray(look.products);
  return Array.isArray(looks) ? looks.filter(isLook) : [];
}

/** Store looks, newest first. @param {Look[]} looks @returns {boolean} false if the browser does not allow it */
export function writeLooks(looks) {
  try {
    localStorage.setItem(KEY, JSON.stringify(looks.slice(0, MAX_LOOKS)));
    return true;
  } catch {
    return false;
  }
}

/** Join product ids for a link; commas within an id are escaped. @param {string[]} ids */
export const formatProductIds = (ids) => ids.map(encodeURIComponent).join(",");

/** Split the product ids of a link. @param {string} text */
export const parseProductIds = (text) => text.split(",").map(decodeOrKeep);

/** @param {string} text */
function decodeOrKeep(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not escaped
  }
}

/** Return a name without the characters that file systems reject. @param {string} name */
export function fileName(name) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: file systems reject these as well
  return name.replace(/[\s\\/:*?"<>|\u0000-\u001f]+/g, " ").trim() || "look";
}
