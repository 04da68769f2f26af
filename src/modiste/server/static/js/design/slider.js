// One slider: a range between two named ends, its number, a step button on either side, and a lock.

import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { shorten, strings } from "../core/strings.js";

export const STEPS = 255; // positions of a slider: a byte, as in links and picture URLs
const BUTTON_STEP = 5; // positions
const MAX_END = 48; // characters shown of the name of an end; its tooltip has all

/**
 * @typedef {object} Slider
 * @property {HTMLElement} row
 * @property {HTMLInputElement} range
 * @property {HTMLButtonElement | null} lock
 * @property {(position: number, start?: number) => void} show move it to a position, 0 to 255, and mark where the design started
 */

/** Return the number to show: −100 at the low end, 0 in the middle, 100 at the high end. @param {number} position 0 to 255 */
export const toNumber = (position) => Math.round((position / STEPS) * 200 - 100);

/** Return the position of a number; numbers beyond ±100 are the ends. @param {number} number */
export const fromNumber = (number) => ((Math.min(Math.max(number, -100), 100) + 100) / 200) * STEPS;

/** Describe a position. @param {number} position @param {string} low @param {string} high */
export const describePosition = (position, low, high) => strings.sliderValue(toNumber(position), low, high);

/**
 * @param {{low: string, high: string, place?: number, colour?: string | null, attribute: string, key: string | number}} options
 * the names of its ends, its place among the sliders, the colour of its high end, and the data attribute of its row
 * @param {{move: (position: number) => void, done: () => void, reset: () => void, focus: () => void, lock?: () => void}} actions
 * `move` is called on every move, `done` at the end of a drag
 * @returns {Slider}
 */
export function createSlider({ low, high, place, colour, attribute, key }, actions) {
  const name = strings.slider(low, high, place);
  const id = `slider-${attribute}-${key}`;
  const range = h(`input#${id}`, { type: "range", min: 0, max: STEPS, step: 1, "aria-label": name });
  const number = h("input.number", {
    type: "number",
    min: -100,
    max: 100,
    step: 1,
    inputMode: "numeric",
    "aria-label": strings.number(name),
  });
  /** @param {string} kind @param {string} end @param {number} by */
  const stepButton = (kind, end, by) =>
    h(
      `button.round.small.${kind}`,
      {
        type: "button",
        "aria-label": strings.stepTowards(end),
        title: strings.stepTowards(end),
        onclick: () => jump(current + by),
      },
      icon(by < 0 ? "minus" : "plus"),
    );
  const lock = actions.lock
    ? h(
        "button.round.small.lock",
        {
          type: "button",
          "aria-pressed": "false",
          "aria-label": strings.lock(name),
          title: strings.lock(name),
          onclick: actions.lock,
        },
        icon("unlocked"),
      )
    : null;
  const ends = h(
    "label.ends",
    { htmlFor: id },
    h("bdi.low", { title: low }, shorten(low, MAX_END)),
    h("bdi.high", { title: high }, colour ? colourDot(colour) : null, shorten(high, MAX_END)),
  );
  const track = h("div.track", {}, range);
  const row = h(
    "div.slider",
    { [`data-${attribute}`]: key },
    h("span.place", { "aria-hidden": "true" }, place && place <= 10 ? String(place % 10) : ""),
    ends,
    h(
      "div.handle",
      {},
      stepButton("step-down", low, -BUTTON_STEP),
      track,
      stepButton("step-up", high, BUTTON_STEP),
      number,
      lock,
    ),
  );
  let current = -1;
  let marked = -1;

  /** @param {number} position @param {number} [start] */
  function show(position, start = marked) {
    if (position !== current) {
      current = position;
      if (Number(range.value) !== Math.round(position)) range.value = String(position);
      if (document.activeElement !== number) number.value = String(toNumber(position));
      range.setAttribute("aria-valuetext", describePosition(position, low, high));
      row.style.setProperty("--position", String(position / STEPS));
    }
    if (start !== marked) {
      marked = start;
      row.style.setProperty("--start", String(start / STEPS));
    }
  }

  /** @param {number} position */
  function jump(position) {
    actions.focus();
    actions.move(Math.min(Math.max(position, 0), STEPS));
    actions.done();
  }

  range.addEventListener("input", () => actions.move(Number(range.value)));
  range.addEventListener("change", actions.done);
  number.addEventListener("input", () => {
    if (number.value !== "" && number.validity.valid) actions.move(fromNumber(Number(number.value)));
  });
  number.addEventListener("change", () => {
    if (number.value !== "" && Number.isFinite(Number(number.value))) jump(fromNumber(Number(number.value)));
    number.value = String(toNumber(current));
  });
  ends.addEventListener("dblclick", actions.reset);
  track.addEventListener("dblclick", actions.reset);
  row.addEventListener("focusin", actions.focus);
  range.addEventListener("pointerdown", actions.focus);
  return { row, range, lock, show };
}

/** @param {string} colour "#rrggbb" */
function colourDot(colour) {
  const dot = h("span.dot", { "aria-hidden": "true" });
  dot.style.backgroundColor = colour;
  return dot;
}
