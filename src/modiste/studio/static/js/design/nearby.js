// Nine designs: the one on the table in the middle, eight small changes of it around.

import { dialog, open } from "../core/dialog.js";
import { byId, h } from "../core/dom.js";
import { words } from "../core/strings.js";
import { thumb } from "../core/thumbnails.js";

const MIDDLE = 4;

/** @param {import("../core/store.js").App} app @param {HTMLElement} opener */
export function mount(app, opener) {
  /** @type {Float32Array[]} */
  let codes = [];
  const spread = h("input#nearby-spread", { type: "range", min: 2, max: 30, value: 9, "aria-label": words.nearbySpread });
  const buttons = Array.from({ length: 9 }, (_, i) =>
    h("button.tile", { type: "button", "aria-label": i === MIDDLE ? words.nearbyMiddle : words.nearbyItem(i < MIDDLE ? i + 1 : i), onclick: () => choose(i) }, thumb(app)),
  );
  const grid = h("div.nearby-grid#nearby-grid", { role: "group", "aria-labelledby": "nearby-dialog-title" }, ...buttons);
  const box = dialog(
    "nearby-dialog",
    words.nearbyTitle,
    h("p.quiet", {}, words.nearbyHint),
    grid,
    h(
      "div.row.spread",
      {},
      h("label.how-far", {}, h("span", { "aria-hidden": "true" }, words.closer), spread, h("span", { "aria-hidden": "true" }, words.wider)),
      h("button.plain#nearby-again", { type: "button", onclick: () => draw() }, words.again),
    ),
  );

  /** Eight others. Their noise is a share of each slider's range; locked sliders stay. */
  function draw() {
    const share = +spread.value / 100;
    codes = buttons.map((_, i) =>
      i === MIDDLE ? app.code : app.held(Float32Array.from(app.ranges, ([low, high], k) => Math.min(Math.max(app.code[k] + share * (high - low) * normal(), low), high))),
    );
    buttons.forEach((button, i) => (button.firstChild.src = app.frameUrl(codes[i])));
  }

  /** @param {number} i */
  function choose(i) {
    if (i === MIDDLE) return box.close();
    app.setCode(codes[i]);
    app.announce(words.begun.nearby());
    draw();
    buttons[MIDDLE].focus();
  }

  spread.addEventListener("change", draw);
  opener.addEventListener("click", () => {
    draw();
    open(box);
    byId("nearby-dialog-title").focus();
  });
}

/** A draw from the standard normal distribution (Box and Muller). */
const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
