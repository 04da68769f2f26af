// The sliders of the latents: the ones that matter most first, the idle ones folded away.

import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { words } from "../core/strings.js";
import { STEPS, slider } from "./slider.js";

/** @param {HTMLElement} root @param {import("../core/store.js").App} app @returns {{rows: Map<number, import("./slider.js").Parts>, order: number[]}} */
export function mount(root, app) {
  /** @type {Map<number, import("./slider.js").Parts>} by latent */
  const rows = new Map();
  const order = [...app.sliders.latents].sort((a, b) => Number(a.idle) - Number(b.idle));
  order.forEach((each, i) => rows.set(each.latent, one(app, each, i + 1)));
  const rowOf = (/** @type {any} */ each) => /** @type {any} */ (rows.get(each.latent)).row;
  const live = order.filter((each) => !each.idle);
  const idle = order.filter((each) => each.idle);
  if (live.length) root.append(inColumns(live.map(rowOf)));
  if (idle.length) root.append(h("details.more#more", { open: !live.length }, h("summary", {}, words.more(idle.length, live.length > 0)), inColumns(idle.map(rowOf))));

  const sync = () => {
    for (const [latent, parts] of rows) parts.show(position(app, latent), position(app, latent, app.start));
  };
  app.on("code", sync);
  app.on("origin", sync);
  app.on("locks", () => {
    for (const [latent, parts] of rows) showLock(parts, app.locks.has(latent));
  });
  app.on("focus", () => {
    for (const [latent, parts] of rows) parts.row.classList.toggle("in-focus", latent === app.focus);
  });
  sync();
  return { rows, order: order.map((each) => each.latent) };
}

/** Where a latent is along its slider, 0 to 255. @param {import("../core/store.js").App} app @param {number} latent */
export function position(app, latent, code = app.code) {
  const [low, high] = app.ranges[latent];
  return high > low ? ((code[latent] - low) / (high - low)) * STEPS : STEPS / 2;
}

/** The design with one latent moved. @param {import("../core/store.js").App} app @param {number} latent @param {number} at 0 to 255 */
export function movedTo(app, latent, at) {
  const [low, high] = app.ranges[latent];
  const code = app.code.slice();
  code[latent] = low + (at / STEPS) * (high - low);
  return code;
}

/** @param {import("../core/store.js").App} app @param {any} about @param {number} place */
function one(app, { latent, low, high }, place) {
  const by = `latent ${latent}`;
  return slider(
    { low, high, place, attribute: "latent", key: latent },
    {
      move: (at) => app.setCode(movedTo(app, latent, at), { commit: false }),
      done: () => app.commit(by),
      reset: () => app.setCode(movedTo(app, latent, position(app, latent, app.start)), { by }),
      focus: () => app.setFocus(latent),
      lock: () => app.lock(latent),
    },
  );
}

/** @param {import("./slider.js").Parts} parts @param {boolean} on */
function showLock({ row, lock }, on) {
  if (!lock || (lock.getAttribute("aria-pressed") === "true") === on) return;
  lock.setAttribute("aria-pressed", String(on));
  lock.replaceChildren(icon(on ? "locked" : "free"));
  row.classList.toggle("is-locked", on);
}

/** Rows in two columns, read down the first and then the second; a narrow page puts one under the other. @param {HTMLElement[]} rows */
export function inColumns(rows) {
  const half = Math.ceil(rows.length / 2);
  return h("div.two-columns", {}, h("div.slider-column", {}, ...rows.slice(0, half)), h("div.slider-column", {}, ...rows.slice(half)));
}
