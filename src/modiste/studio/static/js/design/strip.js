// Seven pictures under the slider in focus: where it leads, all else as it is.

import { quantise } from "../core/design-codec.js";
import { h } from "../core/dom.js";
import { words } from "../core/strings.js";
import { thumb } from "../core/thumbnails.js";
import { STEPS, inWords } from "./slider.js";
import { movedTo, position } from "./sliders.js";

const COUNT = 7;

/** @param {import("../core/store.js").App} app @param {Map<number, import("./slider.js").Parts>} rows @param {HTMLInputElement} toggle */
export function mount(app, rows, toggle) {
  const stops = Array.from({ length: COUNT }, (_, i) => (i / (COUNT - 1)) * STEPS);
  const buttons = stops.map((at) => h("button", { type: "button", onclick: () => go(at) }, thumb(app)));
  const strip = h("div.strip#strip", { role: "group", "aria-label": words.strip, hidden: true }, ...buttons);
  let held = false; // a hand is on a slider: nothing may move under it
  let drawn = "";

  /** @param {number} at */
  function go(at) {
    if (app.focus === null) return;
    app.setCode(movedTo(app, app.focus, at), { by: `strip ${app.focus} ${at}` });
  }

  function place() {
    const latent = app.focus;
    const parts = latent === null ? null : rows.get(latent);
    if (!toggle.checked || !parts) {
      strip.hidden = true;
      return;
    }
    if (held) return;
    if (strip.parentElement !== parts.row) {
      const before = parts.row.getBoundingClientRect().top;
      parts.row.append(strip);
      strip.hidden = false;
      window.scrollBy({ top: parts.row.getBoundingClientRect().top - before, behavior: "instant" });
    }
    strip.hidden = false;
    draw(/** @type {number} */ (latent));
  }

  /** @param {number} latent */
  function draw(latent) {
    const about = app.sliders.latents.find((/** @type {any} */ each) => each.latent === latent);
    const rest = quantise(app.code, app.ranges).map((byte, i) => (i === latent ? 0 : byte));
    const key = `${latent} ${rest}`;
    if (key !== drawn) {
      drawn = key;
      stops.forEach((at, i) => {
        const text = inWords(at, about.low, about.high);
        buttons[i].firstChild.src = app.frameUrl(movedTo(app, latent, at));
        buttons[i].setAttribute("aria-label", words.stripItem(text));
        buttons[i].title = text;
      });
    }
    mark();
  }

  function mark() {
    if (strip.hidden || app.focus === null) return;
    const nearest = Math.round((position(app, app.focus) / STEPS) * (COUNT - 1));
    buttons.forEach((button, i) => (i === nearest ? button.setAttribute("aria-current", "true") : button.removeAttribute("aria-current")));
  }

  for (const { range } of rows.values()) {
    range.addEventListener("pointerdown", () => (held = true));
    for (const end of ["pointerup", "pointercancel"]) range.addEventListener(end, () => ((held = false), setTimeout(place, 150)));
  }
  app.on("settle", place);
  app.on("focus", () => requestAnimationFrame(place));
  toggle.addEventListener("change", place);
}
