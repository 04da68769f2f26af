// The sliders of the latents: the most effective first, the others folded.

import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { strings } from "../core/strings.js";
import { createSlider, STEPS } from "./slider.js";

/** @typedef {import("./slider.js").Slider} Slider */

const FIRST_SLIDERS = 6; // shown at first: with more, the products are below the fold of a laptop

/**
 * @param {HTMLElement} root @param {import("../core/store.js").App} app
 * @returns {{sliders: Map<number, Slider>, order: number[]}} the sliders by latent, and the latents in the order shown
 */
export function mount(root, app) {
  const ordered = [...app.sliders.latents].sort((a, b) => Number(a.idle) - Number(b.idle));
  const sliders = new Map(ordered.map((each, i) => [each.latent, latentSlider(app, each, i + 1)]));
  const rows = ordered.flatMap((each) => sliders.get(each.latent)?.row ?? []);
  const activeCount = ordered.filter(({ idle }) => !idle).length;
  const shownCount = Math.min(activeCount, FIRST_SLIDERS);
  if (shownCount) root.append(inColumns(rows.slice(0, shownCount)));
  if (rows.length > shownCount) {
    const idleCount = rows.length - activeCount;
    const summary = h("summary", {}, strings.moreSliders(rows.length - shownCount, idleCount));
    root.append(h("details.more#more", { open: !shownCount }, summary, inColumns(rows.slice(shownCount))));
  }

  const update = () => {
    for (const [latent, slider] of sliders) {
      slider.show(positionOf(app, latent), positionOf(app, latent, app.startCode));
    }
  };
  app.on("code", update);
  app.on("origin", update);
  app.on("locks", () => {
    for (const [latent, slider] of sliders) showLock(slider, app.locks.has(latent));
  });
  app.on("focus", () => {
    for (const [latent, slider] of sliders) slider.row.classList.toggle("in-focus", latent === app.focus);
  });
  update();
  return { sliders, order: ordered.map(({ latent }) => latent) };
}

/** Return a latent's position on its slider, 0 to 255. @param {import("../core/store.js").App} app @param {number} latent */
export function positionOf(app, latent, code = app.code) {
  const [low, high] = app.ranges[latent];
  return high > low ? ((code[latent] - low) / (high - low)) * STEPS : STEPS / 2;
}

/** Return the value of a latent at a position of its slider. @param {import("../core/store.js").App} app @param {number} latent @param {number} position 0 to 255 */
export function valueAt(app, latent, position) {
  const [low, high] = app.ranges[latent];
  return low + (position / STEPS) * (high - low);
}

/** @param {import("../core/store.js").App} app @param {import("../core/api.js").LatentSlider} latentSlider @param {number} place */
function latentSlider(app, { latent, low, high }, place) {
  const by = `latent ${latent}`;
  return createSlider(
    { low, high, place, attribute: "latent", key: latent },
    {
      move: (position) => app.setLatent(latent, valueAt(app, latent, position), { commit: false }),
      done: () => app.commit(by),
      reset: () => app.setLatent(latent, app.startCode[latent], { by }),
      focus: () => app.setFocus(latent),
      lock: () => app.toggleLock(latent),
    },
  );
}

/** @param {Slider} slider @param {boolean} isLocked */
function showLock({ row, lock }, isLocked) {
  if (!lock || lock.getAttribute("aria-pressed") === String(isLocked)) return;
  lock.setAttribute("aria-pressed", String(isLocked));
  lock.replaceChildren(icon(isLocked ? "locked" : "unlocked"));
  row.classList.toggle("is-locked", isLocked);
}

/** Put rows into two columns, read down; a narrow page puts one below the other. @param {HTMLElement[]} rows */
export function inColumns(rows) {
  const half = Math.ceil(rows.length / 2);
  return h(
    "div.two-columns",
    {},
    h("div.slider-column", {}, ...rows.slice(0, half)),
    h("div.slider-column", {}, ...rows.slice(half)),
  );
}
