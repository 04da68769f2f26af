// How typical the design is of the shop, in words; a button moves an unusual design closer to the shop's products.

import { fill, h } from "../core/dom.js";
import { strings } from "../core/strings-results.js";
import { cachedProduct, moveTowards, toastErrors } from "./moves.js";

const MIN_METER = 0.02; // so that the meter never looks empty
const BRING_BACK_SHARE = 0.5; // of the way to the nearest product

/** @param {HTMLElement} root `#typicality` @param {import("../core/store.js").App} app */
export function mount(root, app) {
  const meter = h("meter", { min: 0, max: 1, high: 0.1, optimum: 1, "aria-label": strings.typicality });
  const word = h("p.typicality-word", { tabIndex: -1 });
  const explanation = h("p.note");
  const button = h(
    "button.plain.bring-back",
    { type: "button", hidden: true, onclick: bringBack },
    strings.bringBack,
  );
  root.hidden = true;
  fill(root, word, meter, explanation, button);

  function show() {
    const typicality = app.similar?.typicality;
    if (!typicality) return;
    const isFar = typicality.word.startsWith("unlike");
    const isUnusual = typicality.word === "unusual";
    root.hidden = false;
    root.classList.toggle("far", isFar);
    root.classList.toggle("unusual", isUnusual);
    meter.value = Math.max(typicality.share, MIN_METER);
    meter.low = isFar ? 0.1 : 0; // the word decides the colour, not the minimum value
    meter.setAttribute("aria-valuetext", typicality.word);
    word.textContent = typicality.word.charAt(0).toUpperCase() + typicality.word.slice(1);
    explanation.textContent = isFar ? strings.far : isUnusual ? strings.unusual : strings.usual;
    const hadFocus = document.activeElement === button;
    button.hidden = !isFar && !isUnusual;
    if (hadFocus && button.hidden) word.focus();
  }

  function bringBack() {
    const nearest = app.similar?.typicality.nearest;
    if (!nearest) return;
    toastErrors(app, async () => moveTowards(app, await cachedProduct(nearest), BRING_BACK_SHARE));
  }

  app.on("results", (kind) => {
    if (kind === "similar") show();
  });
  show();
}
