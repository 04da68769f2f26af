// Nearby designs: nine pictures, the current one in the middle and eight small changes of it around.

import { createDialog, openDialog } from "../core/dialog.js";
import { byId, h } from "../core/dom.js";
import { strings } from "../core/strings.js";
import { createThumbnail } from "../core/thumbnails.js";

const MIDDLE = 4; // of nine

/** @param {import("../core/store.js").App} app @param {HTMLElement} opener */
export function mount(app, opener) {
  /** @type {Float32Array[]} */
  let codes = [];
  const spread = h("input#nearby-spread", {
    type: "range",
    min: 2,
    max: 30,
    value: 9,
    "aria-label": strings.nearbySpread,
  });
  const thumbnails = Array.from({ length: 9 }, () => createThumbnail(app));
  const buttons = thumbnails.map((thumbnail, i) => {
    const label = i === MIDDLE ? strings.nearbyCurrent : strings.nearbyItem(i < MIDDLE ? i + 1 : i);
    return h("button.tile", { type: "button", "aria-label": label, onclick: () => choose(i) }, thumbnail);
  });
  const dialog = createDialog(
    "nearby-dialog",
    strings.nearbyTitle,
    h("p.quiet", {}, strings.nearbyHint),
    h("div.nearby-grid#nearby-grid", { role: "group", "aria-labelledby": "nearby-dialog-title" }, ...buttons),
    h(
      "div.row.spread",
      {},
      h(
        "label.how-far",
        {},
        h("span", { "aria-hidden": "true" }, strings.smaller),
        spread,
        h("span", { "aria-hidden": "true" }, strings.larger),
      ),
      h("button.plain#nearby-again", { type: "button", onclick: () => draw() }, strings.nearbyAgain),
    ),
  );

  /** Draw eight new designs. Their noise is a share of each slider's range; locked latents keep their values. */
  function draw() {
    const share = Number(spread.value) / 100;
    const noisy = () =>
      Float32Array.from(app.ranges, ([low, high], i) =>
        Math.min(Math.max(app.code[i] + share * (high - low) * standardNormal(), low), high),
      );
    codes = buttons.map((_, i) => (i === MIDDLE ? app.code : app.withLocks(noisy())));
    thumbnails.forEach((thumbnail, i) => {
      thumbnail.src = app.renderUrl(codes[i]);
    });
  }

  /** @param {number} i */
  function choose(i) {
    if (i === MIDDLE) return dialog.close();
    app.setCode(codes[i]);
    app.announce(strings.origin.nearby());
    draw();
    buttons[MIDDLE].focus();
  }

  spread.addEventListener("change", draw);
  opener.addEventListener("click", () => {
    draw();
    openDialog(dialog);
    byId("nearby-dialog-title").focus();
  });
}

/** Return a sample of the standard normal distribution (Box–Muller transform). */
const standardNormal = () =>
  Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
