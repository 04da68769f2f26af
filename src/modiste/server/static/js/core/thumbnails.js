// Small pictures of designs. One that fails to load is hidden, and loaded again when the server is back.

import { h } from "./dom.js";

/** @type {Set<HTMLImageElement>} */
const failed = new Set();

/** @param {import("./store.js").App} app @param {Record<string, any>} [properties] @returns {HTMLImageElement} */
export function createThumbnail(app, properties = {}) {
  const [width, height] = app.shop.renderSize;
  const image = h("img", {
    alt: "",
    width,
    height,
    decoding: "async",
    onerror() {
      failed.add(image);
      image.classList.add("failed");
      app.emit("request-failed");
    },
    onload() {
      failed.delete(image);
      image.classList.remove("failed");
    },
    ...properties,
  });
  return image;
}

/** @param {import("./store.js").App} app */
export function mount(app) {
  app.on("online", () => {
    if (!app.online) return;
    for (const image of [...failed]) {
      failed.delete(image); // one that fails again is added again
      if (image.isConnected) image.setAttribute("src", image.src); // loads it again
    }
  });
}
