// How much a design is like the shop's products, in words, with the way back where it is not.

import { fill, h } from "../core/dom.js";
import { words } from "../core/strings-results.js";
import { moveTowards, productOf, trying } from "./moves.js";

/** @param {HTMLElement} root `#typicality` @param {import("../core/store.js").App} app */
export function mount(root, app) {
  const meter = h("meter", { min: 0, max: 1, high: 0.1, optimum: 1, "aria-label": words.typicality });
  const word = h("p.typical-word", { tabIndex: -1 });
  const why = h("p.note");
  const back = h("button.plain.bring-back", { type: "button", hidden: true, onclick: bringBack }, words.bringBack);
  root.hidden = true;
  fill(root, word, meter, why, back);

  function show() {
    const said = app.similar?.typicality;
    if (!said) return;
    const far = said.word.startsWith("unlike");
    const unusual = said.word === "unusual";
    root.hidden = false;
    root.classList.toggle("far", far);
    root.classList.toggle("unusual", unusual);
    meter.value = Math.max(said.share, 0.02); // never so little that it looks broken
    meter.low = far ? 0.1 : 0; // the word decides its colour, not that least value
    meter.setAttribute("aria-valuetext", said.word);
    word.textContent = said.word.charAt(0).toUpperCase() + said.word.slice(1);
    why.textContent = far ? words.far : unusual ? words.unusual : words.usual;
    const focused = document.activeElement === back;
    back.hidden = !far && !unusual;
    if (focused && back.hidden) word.focus();
  }

  function bringBack() {
    const id = app.similar.typicality.nearest;
    trying(app, async () => moveTowards(app, await productOf(id), 0.5));
  }

  app.on("results", (what) => what === "similar" && show());
  show();
}
