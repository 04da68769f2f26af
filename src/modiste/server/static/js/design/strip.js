// Seven pictures below the slider in focus: the design at seven of its positions.

import { quantise } from "../core/design-codec.js";
import { h } from "../core/dom.js";
import { strings } from "../core/strings.js";
import { createThumbnail } from "../core/thumbnails.js";
import { describePosition, STEPS } from "./slider.js";
import { positionOf, valueAt } from "./sliders.js";

const PICTURES = 7;
const RELEASE_DELAY_MS = 150; // after a drag, until the strip may move the page

/** @param {import("../core/store.js").App} app @param {Map<number, import("./slider.js").Slider>} sliders @param {HTMLInputElement} toggle */
export function mount(app, sliders, toggle) {
  const positions = Array.from({ length: PICTURES }, (_, i) => (i / (PICTURES - 1)) * STEPS);
  const thumbnails = positions.map(() => createThumbnail(app));
  const buttons = positions.map((position, i) =>
    h("button", { type: "button", onclick: () => goTo(position) }, thumbnails[i]),
  );
  const strip = h(
    "div.strip#strip",
    { role: "group", "aria-label": strings.strip, hidden: true },
    ...buttons,
  );
  let isDragging = false; // nothing may move under the pointer
  let drawnKey = "";

  /** @param {number} position */
  function goTo(position) {
    if (app.focus === null) return;
    app.setLatent(app.focus, valueAt(app, app.focus, position), { by: `strip ${app.focus} ${position}` });
  }

  function update() {
    const latent = app.focus;
    const slider = latent === null ? undefined : sliders.get(latent);
    if (!toggle.checked || latent === null || !slider) {
      strip.hidden = true;
      return;
    }
    if (isDragging) return;
    if (strip.parentElement !== slider.row) {
      const before = slider.row.getBoundingClientRect().top;
      slider.row.append(strip);
      strip.hidden = false;
      const shift = slider.row.getBoundingClientRect().top - before;
      window.scrollBy({ top: shift, behavior: "instant" });
    }
    strip.hidden = false;
    draw(latent);
    markCurrent(latent);
  }

  /** @param {number} latent */
  function draw(latent) {
    const otherBytes = quantise(app.code, app.ranges).map((byte, i) => (i === latent ? 0 : byte));
    const key = `${latent} ${otherBytes}`;
    const slider = app.sliders.latents.find((each) => each.latent === latent);
    if (key === drawnKey || !slider) return;
    drawnKey = key;
    positions.forEach((position, i) => {
      const text = describePosition(position, slider.low, slider.high);
      thumbnails[i].src = app.renderUrl(app.withLatent(latent, valueAt(app, latent, position)));
      buttons[i].setAttribute("aria-label", strings.stripItem(text));
      buttons[i].title = text;
    });
  }

  /** @param {number} latent */
  function markCurrent(latent) {
    const nearest = Math.round((positionOf(app, latent) / STEPS) * (PICTURES - 1));
    buttons.forEach((button, i) => {
      if (i === nearest) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    });
  }

  const release = () => {
    isDragging = false;
    setTimeout(update, RELEASE_DELAY_MS);
  };
  for (const { range } of sliders.values()) {
    range.addEventListener("pointerdown", () => {
      isDragging = true;
    });
    range.addEventListener("pointerup", release);
    range.addEventListener("pointercancel", release);
  }
  app.on("settled", update);
  app.on("focus", () => requestAnimationFrame(update));
  toggle.addEventListener("change", update);
}
