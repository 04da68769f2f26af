// The second set of sliders: one for each direction in which an attribute of the shop changes.

import { h } from "../core/dom.js";
import { readable, strings } from "../core/strings.js";
import { createSlider, STEPS } from "./slider.js";
import { inColumns } from "./sliders.js";

/** @typedef {import("../core/api.js").AttributeSlider} AttributeSlider */

/** @param {HTMLElement} root hidden while the other set is shown @param {import("../core/store.js").App} app */
export function mount(root, app) {
  const { attributes } = app.sliders;
  if (!attributes.length) {
    root.append(h("p.quiet", {}, strings.noAttributes));
    return;
  }
  const sliders = attributes.map((attribute, i) => attributeSlider(app, attribute, i));
  const groups = [...grouped(sliders)].map(([name, members]) => {
    const node = h("div", {}, h("h3.group", { dir: "auto" }, name), inColumns(members.map(({ row }) => row)));
    return { node, members };
  });
  const showAll = h("button.plain.show-others", { type: "button", hidden: true });
  let isAll = false;
  showAll.addEventListener("click", () => {
    isAll = true;
    fit();
  });
  root.append(...groups.map(({ node }) => node), showAll);

  /** Hide the sliders that no product of the design's category fits, except for the one in use. */
  function fit() {
    const category = app.similar?.results[0]?.category;
    let hidden = 0;
    for (const { attribute, row } of sliders) {
      const fits = isAll || !category || attribute.categories.includes(category);
      row.hidden = !fits && !row.contains(document.activeElement);
      hidden += Number(row.hidden);
    }
    for (const { node, members } of groups) node.hidden = members.every(({ row }) => row.hidden);
    showAll.hidden = hidden === 0;
    showAll.textContent = strings.moreSliders(hidden, 0);
  }
  app.on("results", (kind) => {
    if (kind === "similar") fit();
  });

  const update = () => {
    if (!root.hidden) for (const slider of sliders) slider.update();
  };
  app.on("settled", update); // not on every move: during a drag the other sliders may wait
  app.on("origin", update);
  app.on("locks", () => {
    for (const slider of sliders) slider.updateLocks();
    update();
  });
  new MutationObserver(update).observe(root, { attributes: true, attributeFilter: ["hidden"] });
}

/** Return the measurements first, then each attribute with its values. @param {ReturnType<typeof attributeSlider>[]} sliders */
function grouped(sliders) {
  /** @type {Map<string, ReturnType<typeof attributeSlider>[]>} */
  const groups = new Map();
  const isValue = (/** @type {AttributeSlider} */ { value }) => Number(value !== null);
  for (const slider of [...sliders].sort((a, b) => isValue(a.attribute) - isValue(b.attribute))) {
    const { attribute, value } = slider.attribute;
    const name = value === null ? strings.measurements : readable(attribute);
    groups.set(name, [...(groups.get(name) ?? []), slider]);
  }
  return groups;
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
export function dotProduct(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/**
 * Move a code along a direction, without the locked latents: the rest of the direction is scaled so that the code's
 * product with the direction changes by `distance`.
 * @param {ArrayLike<number>} code @param {number[]} direction @param {number} distance @param {Set<number>} locks
 */
export function moveAlong(code, direction, distance, locks) {
  const free = direction.map((x, i) => (locks.has(i) ? 0 : x));
  const squaredLength = dotProduct(free, free);
  if (squaredLength < 1e-6) return Float32Array.from(code);
  return Float32Array.from(code, (x, i) => x + (distance / squaredLength) * free[i]);
}

/** @param {import("../core/store.js").App} app @param {AttributeSlider} attribute @param {number} index */
function attributeSlider(app, attribute, index) {
  const { attribute: name, value, direction, minimum, maximum } = attribute;
  const [low, high] = strings.ends(name, value);
  const width = maximum - minimum || 1;
  /** @param {ArrayLike<number>} code */
  const positionOf = (code) =>
    Math.min(Math.max((dotProduct(code, direction) - minimum) / width, 0), 1) * STEPS;
  const facet = app.shop.facets.find((each) => each.name === name);
  const colour = facet?.values.find((each) => String(each.value) === value)?.colour;
  /** @type {Float32Array | null} the code at the start of a drag, so that a drag there and back changes nothing */
  let base = null;
  const slider = createSlider(
    { low, high, colour, attribute: "direction", key: index },
    {
      move(position) {
        base ??= app.code.slice();
        slider.show(position);
        const distance = ((position - positionOf(base)) / STEPS) * width;
        app.setAlong(moveAlong(base, direction, distance, app.locks), direction, { commit: false });
      },
      done() {
        base = null;
        app.commit(`direction ${index}`);
        slider.show(positionOf(app.code));
      },
      reset() {
        const distance = dotProduct(app.startCode, direction) - dotProduct(app.code, direction);
        app.setAlong(moveAlong(app.code, direction, distance, app.locks), direction, {
          by: `direction ${index}`,
        });
        slider.show(positionOf(app.code));
      },
      focus: () => app.setFocus(null),
    },
  );
  return {
    attribute,
    row: slider.row,
    update() {
      if (!base) slider.show(positionOf(app.code), positionOf(app.startCode));
    },
    updateLocks() {
      const isLocked = direction.every((x, i) => app.locks.has(i) || Math.abs(x) < 1e-3);
      for (const control of slider.row.querySelectorAll("input, button")) {
        control.toggleAttribute("disabled", isLocked);
      }
      slider.row.title = isLocked ? strings.allLocked : "";
    },
  };
}
