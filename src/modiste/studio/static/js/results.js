// The shop's answer to a design: what is like it, what goes with it, what lies between two, and where on the map it is.

import { fill, h } from "./dom.js";

/** @param {HTMLElement} root the section `#results` @param {import("./store.js").App} app */
export function mount(root, app) {
  fill(root, h("h2#results-title", {}, `From ${app.shop.name ?? "the shop"}`));
}
