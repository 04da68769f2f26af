// One slider: a range between two words, a box for its number, a step either way, a lock.

import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { words } from "../core/strings.js";

export const STEPS = 255; // positions of a slider: a byte, as frames and links hold it
const NUDGE = 5; // of those, for the buttons beside it

/**
 * @typedef {object} Parts
 * @property {HTMLElement} row @property {HTMLInputElement} range @property {HTMLInputElement} number
 * @property {HTMLButtonElement | null} lock
 * @property {(at: number, begun: number) => void} show put it at a position, 0 to 255, and mark where the design began
 */

/** The number people read: −100 at the low end, 0 in the middle, 100 at the high end. @param {number} at 0 to 255 */
export const toNumber = (at) => Math.round((at / STEPS) * 200 - 100);

/** @param {number} number */
export const fromNumber = (number) => ((Math.min(Math.max(number, -100), 100) + 100) / 200) * STEPS;

/** @param {number} at @param {string} low @param {string} high */
export const inWords = (at, low, high) => words.valueText(toNumber(at), low, high);

/**
 * @param {{low: string, high: string, place?: number, swatch?: string | null, attribute: string, key: string | number}} about
 * @param {{move: (at: number) => void, done: () => void, reset: () => void, focus: () => void, lock?: () => void}} act
 * `move` is called on every move, `done` when the hand lets go.
 * @returns {Parts}
 */
export function slider({ low, high, place, swatch, attribute, key }, act) {
  const name = words.slider(low, high, place);
  const id = `slider-${attribute}-${key}`;
  const range = h(`input#${id}`, { type: "range", min: 0, max: STEPS, step: 1, "aria-label": name });
  const number = h("input.number", { type: "number", min: -100, max: 100, step: 1, inputMode: "numeric", "aria-label": words.number(name) });
  const step = (/** @type {string} */ kind, /** @type {string} */ label, /** @type {number} */ by) =>
    h(`button.round.small.${kind}`, { type: "button", "aria-label": label, title: label, onclick: () => jump(shown + by) }, icon(by < 0 ? "minus" : "plus"));
  const lock = act.lock ? h("button.round.small.lock", { type: "button", "aria-pressed": "false", "aria-label": words.lock(name), title: words.lock(name), onclick: act.lock }, icon("free")) : null;
  const label = h(
    "label.poles",
    { htmlFor: id },
    h("bdi.low", { title: low }, low),
    h("bdi.high", { title: high }, swatch ? dot(swatch) : null, high),
  );
  const track = h("div.track", {}, range);
  const row = h("div.slider", { [`data-${attribute}`]: key }, h("span.place", { "aria-hidden": "true" }, place && place <= 10 ? String(place % 10) : ""), label, h("div.hand", {}, step("step-down", words.stepDown(low), -NUDGE), track, step("step-up", words.stepUp(high), NUDGE), number, lock));
  let shown = -1;
  let marked = -1;

  /** @param {number} at */
  function show(at, begun = marked) {
    if (at !== shown) {
      shown = at;
      if (+range.value !== Math.round(at)) range.value = String(at);
      if (document.activeElement !== number) number.value = String(toNumber(at));
      range.setAttribute("aria-valuetext", inWords(at, low, high));
      row.style.setProperty("--at", String(at / STEPS));
    }
    if (begun !== marked) {
      marked = begun;
      row.style.setProperty("--begun", String(begun / STEPS));
    }
  }

  /** @param {number} at */
  function jump(at) {
    const held = Math.min(Math.max(at, 0), STEPS);
    act.focus();
    act.move(held);
    act.done();
  }

  range.addEventListener("input", () => act.move(+range.value));
  range.addEventListener("change", act.done);
  number.addEventListener("input", () => {
    if (number.value !== "" && number.validity.valid) act.move(fromNumber(+number.value));
  });
  number.addEventListener("change", () => {
    if (number.value !== "" && Number.isFinite(+number.value)) jump(fromNumber(+number.value));
    number.value = String(toNumber(shown));
  });
  label.addEventListener("dblclick", act.reset);
  track.addEventListener("dblclick", act.reset);
  row.addEventListener("focusin", act.focus);
  range.addEventListener("pointerdown", act.focus);
  return { row, range, number, lock, show };
}

/** A spot of colour. @param {string} colour "#rrggbb" */
export function dot(colour) {
  const made = h("span.dot", { "aria-hidden": "true" });
  made.style.backgroundColor = colour;
  return made;
}
