// A word or two about what just happened, seen for a moment and said once.

import { h } from "./dom.js";

/** @type {HTMLElement | null} */
let shown = null;
let timer = 0;

/** @param {import("./store.js").App} app @param {string} text */
export function toast(app, text) {
  shown ??= document.body.appendChild(h("div.toast", { "aria-hidden": "true", dir: "auto" }));
  shown.textContent = text;
  shown.classList.add("seen");
  clearTimeout(timer);
  timer = setTimeout(() => shown?.classList.remove("seen"), 4000);
  app.announce(text);
}
