// Small pictures of designs: one that cannot be had is blank rather than broken, and asked for again when the server is back.

import { h } from "./dom.js";

/** @type {Set<HTMLImageElement>} */
const lost = new Set();

/** A small picture. @param {import("./store.js").App} app @param {Record<string, any>} [properties] @returns {HTMLImageElement} */
export function thumb(app, properties = {}) {
  const [width, height] = app.shop.frame;
  const image = h("img", { alt: "", width, height, decoding: "async", onerror: () => miss(app, image), onload: () => found(image), ...properties });
  return image;
}

/** @param {import("./store.js").App} app @param {HTMLImageElement} image */
function miss(app, image) {
  lost.add(image);
  image.classList.add("lost");
  app.emit("suspect");
}

/** @param {HTMLImageElement} image */
function found(image) {
  lost.delete(image);
  image.classList.remove("lost");
}

/** @param {import("./store.js").App} app */
export function mount(app) {
  app.on("online", () => {
    if (!app.online) return;
    for (const image of [...lost]) {
      lost.delete(image); // those that fail again come back by themselves
      if (image.isConnected) image.src = image.src;
    }
  });
}
