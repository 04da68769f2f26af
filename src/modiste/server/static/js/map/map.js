// The map of the shop: every product is a point and the design a dot. Below it, the products in view as a list.

import { fetchMap, thumbnailUrl } from "../core/api.js";
import { debounced, fill, h } from "../core/dom.js";
import { LiveQuery } from "../core/live-query.js";
import { readable, shorten } from "../core/strings.js";
import { strings } from "../core/strings-results.js";
import { cachedProduct, toastErrors } from "../design/moves.js";
import { Card } from "../results/cards.js";
import { chosenValues, swatch, toggleValue } from "../results/filters.js";
import { MapCanvas } from "./canvas.js";
import { addGestures } from "./gestures.js";
import { colourOf, MapLayout } from "./layout.js";

const LISTED_PRODUCTS = 12;
const LIST_DELAY_MS = 250;
const GLIDE_MS = 350;
const ZOOM_STEP = 1.6;
const DESIGN_ZOOM = 4;
const PAN_SHARE = 0.2; // of the view
const PHOTO_PX = 120;
const TIP_HALF_WIDTH_PX = 90;
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const darkMode = matchMedia("(prefers-color-scheme: dark)");

/** @typedef {import("../core/store.js").App} App */

/** @param {HTMLElement} root @param {App} app */
export function mount(root, app) {
  const container = h("div#map");
  root.append(h("div.heading", {}, h("h3", {}, strings.map), h("p.note", {}, strings.mapNote)), container);
  const query = new LiveQuery(container, app, {
    fetch: fetchMap,
    show: (response) => createMap(container, app, new MapLayout(response)),
    skeleton: () => h("div.skeleton.map-skeleton", { "aria-hidden": "true" }),
  });
  query.run();
  return {};
}

/** @param {string} label @param {string} sign @param {() => void} onclick */
const roundButton = (label, sign, onclick) =>
  h("button.round", { type: "button", "aria-label": label, title: label, onclick }, sign);

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : darkMode.matches;
}

/** @param {HTMLElement} container @param {App} app @param {MapLayout} layout */
function createMap(container, app, layout) {
  const canvas = h("canvas#map-canvas", {
    tabIndex: 0,
    role: "application",
    "aria-label": strings.mapLabel,
    "aria-roledescription": "map",
    "aria-describedby": "map-keys",
  });
  const tip = h("p.tip", { hidden: true, dir: "auto", "aria-hidden": "true" });
  const cardBox = h("div#map-card", { hidden: true });
  const legend = h("div.legend", { role: "group" });
  const filterNote = h("p.note", { hidden: true }, strings.mapFilters);
  const list = h("ul.map-list");
  const summary = h(
    "summary",
    {},
    strings.inView(Math.min(LISTED_PRODUCTS, layout.count), layout.count), // the whole map is in view at first
  );
  const listing = h("details#map-listing", { ontoggle: () => updateList() }, summary, list);
  const map = new MapCanvas(canvas, layout, (product) => thumbnailUrl(layout.ids[product], PHOTO_PX));
  const colourBy = h(
    "select#map-colour",
    {
      onchange() {
        map.colouring = layout.colourings[Number(colourBy.value)];
        updateColours();
      },
    },
    ...layout.colourings.map(({ name }, i) =>
      h("option", { value: i }, i === 0 ? strings.category : readable(name)),
    ),
  );
  fill(
    container,
    h(
      "div.map-head",
      {},
      h("div.choice", {}, h("label", { htmlFor: "map-colour" }, strings.colourBy), colourBy),
      legend,
    ),
    filterNote,
    h("div.map-box", {}, canvas, tip, tools(), cardBox),
    h("p#map-keys.note", {}, strings.mapKeys),
    listing,
  );

  function tools() {
    /** @param {number} dx @param {number} dy */
    const pan = (dx, dy) => () =>
      move(() => {
        const { view, size, scale } = map;
        const x = view.x + (PAN_SHARE * dx * size.width) / scale;
        map.moveTo(x, view.y + (PAN_SHARE * dy * size.height) / scale);
      });
    return h(
      "div.map-tools",
      {},
      roundButton(strings.zoomIn, "+", () => move(() => map.zoomBy(ZOOM_STEP))),
      roundButton(strings.zoomOut, "−", () => move(() => map.zoomBy(1 / ZOOM_STEP))),
      roundButton(strings.pan.left, "←", pan(-1, 0)),
      roundButton(strings.pan.right, "→", pan(1, 0)),
      roundButton(strings.pan.up, "↑", pan(0, -1)),
      roundButton(strings.pan.down, "↓", pan(0, 1)),
      roundButton(strings.showWholeMap, "⤢", () => move(() => map.showAll())),
      roundButton(strings.toDesign, "◎", goToDesign),
    );
  }

  const updateListLater = debounced(() => updateList(), LIST_DELAY_MS);
  /** Run an action that moves the map. @param {() => void} action */
  function move(action) {
    action();
    tip.hidden = true;
    updateListLater();
  }

  function updateColours() {
    const cssColour = (/** @type {string} */ variable) => {
      canvas.style.color = `var(--${variable})`;
      return getComputedStyle(canvas).color;
    };
    map.colours = {
      paper: cssColour("card"),
      ink: cssColour("ink"),
      quiet: cssColour("edge"),
      accent: cssColour("accent"),
      isDark: isDark(),
    };
    updateLegend();
    map.redraw();
  }

  function updateLegend() {
    const { colouring } = map;
    legend.setAttribute("aria-label", `${strings.colourBy} ${readable(colouring.name)}`);
    const used = new Set(colouring.of);
    const chosen = chosenValues(app, colouring.name);
    const focused = [...legend.children].indexOf(document.activeElement ?? legend);
    const chips = colouring.values.flatMap((value, number) => {
      if (!used.has(number)) return [];
      const properties = {
        type: "button",
        title: shorten(value, 80),
        "aria-pressed": chosen.includes(value),
        onclick: () => toggleValue(app, colouring.name, value),
      };
      const colour = colourOf(colouring, number, map.colours.isDark);
      return [h("button.chip", properties, swatch(colour), h("span", { dir: "auto" }, shorten(value, 40)))];
    });
    fill(legend, ...chips);
    chips[focused]?.focus();
  }

  function updateFilters() {
    filterNote.hidden = layout.filter(app.options.where);
    updateColours();
    updateListLater();
  }

  function updateList() {
    const inView = layout.within(map.box());
    const listed = inView.slice(0, LISTED_PRODUCTS);
    summary.textContent = strings.inView(listed.length, inView.length);
    if (listing.open) fill(list, ...listed.map(listItem));
  }

  /** @param {number} product */
  function listItem(product) {
    const id = layout.ids[product];
    const button = h("button.link", { type: "button", dir: "auto", onclick: () => open(product) }, id);
    cachedProduct(id).then(
      ({ title }) => Object.assign(button, { textContent: shorten(title, 80), title: shorten(title, 80) }),
      () => {}, // the id stays
    );
    return h("li", {}, button);
  }

  /** Show a product's card. @param {number} index */
  function open(index) {
    toastErrors(app, async () => {
      const product = await cachedProduct(layout.ids[index]);
      map.focused = index;
      map.draw();
      const close = roundButton(strings.close, "×", () => {
        cardBox.hidden = true;
        canvas.focus();
      });
      close.classList.add("close");
      fill(cardBox, close, new Card(app, product).withoutScore().node);
      cardBox.hidden = false;
      app.announce(`${shorten(product.title)}, ${product.category}`);
      close.focus({ preventScroll: true });
    });
  }

  /** Show a product in front, with its title. @param {number} index −1 for none @param {boolean} [announce] */
  async function point(index, announce = false) {
    map.hovered = index;
    if (index < 0) tip.hidden = true;
    else if (announce) map.focused = index;
    map.draw();
    if (index < 0) return;
    const product = await cachedProduct(layout.ids[index]).catch(() => null);
    if (!product || map.hovered !== index) return;
    const [left, top] = map.toScreen(layout.x[index], layout.y[index]);
    tip.textContent = shorten(product.title, 80);
    tip.hidden = false;
    tip.style.left = `${Math.min(Math.max(left, TIP_HALF_WIDTH_PX), map.size.width - TIP_HALF_WIDTH_PX)}px`;
    tip.style.top = `${top > map.size.height - 110 ? top - 92 : top + 58}px`; // above or below the photo
    if (announce) app.announce(`${shorten(product.title)}, ${product.category}`);
  }

  function goToDesign() {
    const position = map.design;
    if (position) move(() => map.moveTo(...position, Math.max(map.view.zoom, DESIGN_ZOOM)));
  }

  let glide = 0;
  /** Move the design's dot to its new position. */
  function updateDesign() {
    if (!app.similar) return;
    const { results, position } = app.similar;
    map.ringed = new Set(results.flatMap(({ id }) => layout.indexOf.get(id) ?? []));
    const from = map.design;
    cancelAnimationFrame(glide);
    if (!from || reducedMotion.matches) {
      map.design = position;
      map.draw();
      return;
    }
    const start = performance.now();
    const tick = (/** @type {number} */ now) => {
      const share = Math.min((now - start) / GLIDE_MS, 1);
      const eased = 1 - (1 - share) ** 3;
      map.design = [from[0] + (position[0] - from[0]) * eased, from[1] + (position[1] - from[1]) * eased];
      map.draw();
      if (share < 1) glide = requestAnimationFrame(tick);
    };
    glide = requestAnimationFrame(tick);
  }

  addGestures(canvas, map, layout, { point, open, move, goToDesign });
  new ResizeObserver(() => {
    if (!canvas.clientWidth) return; // hidden
    map.resize(canvas.clientWidth, canvas.clientHeight);
    updateListLater();
  }).observe(canvas);
  new MutationObserver(updateColours).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  darkMode.addEventListener("change", updateColours);
  app.on("options", updateFilters);
  app.on("results", (kind) => {
    if (kind === "similar") updateDesign();
  });
  updateFilters();
  updateDesign();
}
