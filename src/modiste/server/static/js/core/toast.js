// A short message at the bottom of the page: shown for some seconds, and announced to screen readers.

import { h } from "./dom.js";

const SHOWN_MS = 4000;

/** @type {HTMLElement | null} */
let box = null;
let timer = 0;

/** @param {import("./store.js").App} app @param {string} text */
export function toast(app, text) {
  const element = box ?? document.body.appendChild(h("div.toast", { "aria-hidden": "true", dir: "auto" }));
  box = element;
  element.textContent = text;
  element.classList.add("visible");
  clearTimeout(timer);
  timer = window.setTimeout(() => element.classList.remove("visible"), SHOWN_MS);
  app.announce(text);
}
