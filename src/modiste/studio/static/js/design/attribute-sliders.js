// The second set of sliders: along the directions in which the shop's attributes change.

import { h } from "../core/dom.js";
import { readable, words } from "../core/strings.js";
import { STEPS, slider } from "./slider.js";
import { inColumns } from "./sliders.js";

/** @typedef {{attribute: string, value: string | null, name: string, direction: number[], minimum: number, maximum: number, share: number}} Direction */

/** @param {HTMLElement} root hidden while the other set is shown @param {import("../core/store.js").App} app */
export function mount(root, app) {
  /** @type {Direction[]} */
  const directions = app.sliders.attributes;
  if (!directions.length) {
    root.append(h("p.quiet", {}, words.noAttributes));
    return;
  }
  const all = directions.map((each, i) => one(app, each, i));
  for (const [name, members] of grouped(all)) {
    root.append(h("h3.group", { dir: "auto" }, name), inColumns(members.map((each) => each.row)));
  }

  const sync = () => {
    if (!root.hidden) for (const each of all) each.sync();
  };
  app.on("settle", sync); // not on every move: while one is dragged the others may wait
  app.on("origin", sync);
  app.on("locks", () => {
    for (const each of all) each.free();
    sync();
  });
  new MutationObserver(sync).observe(root, { attributes: true, attributeFilter: ["hidden"] });
}

/** What is measured first, then each attribute of words with its values. @param {ReturnType<typeof one>[]} all */
function grouped(all) {
  /** @type {Map<string, ReturnType<typeof one>[]>} */
  const groups = new Map();
  for (const each of [...all].sort((a, b) => Number(a.about.value !== null) - Number(b.about.value !== null))) {
    const name = each.about.value === null ? words.measures : readable(each.about.attribute);
    groups.set(name, [...(groups.get(name) ?? []), each]);
  }
  return groups;
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
const inner = (a, b) => Array.prototype.reduce.call(a, (sum, x, i) => /** @type {number} */ (sum) + x * b[i], 0);

/**
 * The code moved by `by` along a direction, as far as the free latents let it: the part of the direction that the locked
 * ones hold is projected out. @param {ArrayLike<number>} code @param {number[]} direction @param {number} by @param {Set<number>} locks
 */
export function along(code, direction, by, locks) {
  const free = direction.map((x, i) => (locks.has(i) ? 0 : x));
  const length = inner(free, free);
  return length < 1e-6 ? Float32Array.from(code) : Float32Array.from(code, (x, i) => x + (by / length) * free[i]);
}

/** @param {import("../core/store.js").App} app @param {Direction} about @param {number} index */
function one(app, about, index) {
  const { attribute, value, direction, minimum, maximum } = about;
  const [low, high] = words.poles(attribute, value);
  const width = maximum - minimum || 1;
  const at = (code = app.code) => Math.min(Math.max((inner(code, direction) - minimum) / width, 0), 1) * STEPS;
  const facet = app.shop.facets.find((/** @type {any} */ each) => each.name === attribute);
  const swatch = facet?.values?.find((/** @type {any} */ each) => String(each.value) === value)?.colour;
  /** @type {Float32Array | null} the design when the hand came to it: a drag there and back leaves no trace */
  let base = null;
  const parts = slider(
    { low, high, swatch, attribute: "direction", key: index },
    {
      move(to) {
        base ??= app.code.slice();
        parts.show(to);
        app.setCode(along(base, direction, ((to - at(base)) / STEPS) * width, app.locks), { commit: false });
      },
      done() {
        base = null;
        app.commit(`direction ${index}`);
        parts.show(at());
      },
      reset() {
        app.setCode(along(app.code, direction, inner(app.start, direction) - inner(app.code, direction), app.locks), { by: `direction ${index}` });
        parts.show(at());
      },
      focus: () => app.setFocus(null),
    },
  );
  return {
    about,
    row: parts.row,
    sync: () => base ?? parts.show(at(), at(app.start)),
    free() {
      const stuck = direction.every((x, i) => app.locks.has(i) || Math.abs(x) < 1e-3);
      for (const input of parts.row.querySelectorAll("input, button")) /** @type {HTMLInputElement} */ (input).disabled = stuck;
      parts.row.title = stuck ? words.allLocked : "";
    },
  };
}
