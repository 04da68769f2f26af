// The map of the shop: every product a point, the design a dot among them; pointed at, typed at, or read as a list.

import { get } from "../core/api.js";
import { debounced, fill, h } from "../core/dom.js";
import { Asker } from "../core/live-query.js";
import { words } from "../core/strings-results.js";
import { pathOf, productOf, trying } from "../design/moves.js";
import { Card, short } from "../results/cards.js";
import { chosenOf, swatch, toggleValue } from "../results/filters.js";
import { MapCanvas } from "./canvas.js";
import { listen } from "./gestures.js";
import { colourOf, Plan } from "./layout.js";

const LISTED = 12;
const still = matchMedia("(prefers-reduced-motion: reduce)");
const night = matchMedia("(prefers-color-scheme: dark)");

/** @param {HTMLElement} root @param {import("../core/store.js").App} app */
export function mount(root, app) {
  const place = h("div#map");
  root.append(h("div.heading", {}, h("h3", {}, words.map), h("p.note", {}, words.mapNote)), place);
  const asker = new Asker(place, app, {
    ask: (signal) => get("/v1/map", signal),
    show: (answer) => draw(place, app, new Plan(answer)),
    skeleton: () => h("div.skeleton.plan", { "aria-hidden": "true" }),
  });
  asker.run();
  return {};
}

/** @param {HTMLElement} place @param {import("../core/store.js").App} app @param {Plan} plan */
function draw(place, app, plan) {
  const canvas = h("canvas#map-canvas", { tabIndex: 0, role: "application", "aria-label": words.mapLabel, "aria-roledescription": "map", "aria-describedby": "map-keys" });
  const tip = h("p.tip", { hidden: true, dir: "auto", "aria-hidden": "true" });
  const chosen = h("div#map-card", { hidden: true });
  const legend = h("div.legend", { role: "group" });
  const note = h("p.note", { hidden: true }, words.mapOnly);
  const rows = h("ul.map-list");
  const summary = h("summary", {}, words.inView(Math.min(LISTED, plan.count), plan.count)); // all, before it is moved
  const listing = h("details#map-listing", { ontoggle: () => list() }, summary, rows);
  const map = new MapCanvas(canvas, plan, (row) => `${pathOf(plan.ids[row])}/thumbnail.webp?height=120`);
  const round = (/** @type {string} */ word, /** @type {string} */ sign, /** @type {() => void} */ onclick) => h("button.round", { type: "button", "aria-label": word, title: word, onclick }, sign);
  const pan = (/** @type {number} */ dx, /** @type {number} */ dy) => () => moved(() => map.look(map.view.x + (0.2 * dx * map.size.width) / map.scale, map.view.y + (0.2 * dy * map.size.height) / map.scale));
  const tools = h(
    "div.map-tools",
    {},
    round(words.zoomIn, "+", () => moved(() => map.zoomBy(1.6))),
    round(words.zoomOut, "−", () => moved(() => map.zoomBy(1 / 1.6))),
    round(words.pan.left, "←", pan(-1, 0)),
    round(words.pan.right, "→", pan(1, 0)),
    round(words.pan.up, "↑", pan(0, -1)),
    round(words.pan.down, "↓", pan(0, 1)),
    round(words.whole, "⤢", () => moved(() => map.look(0.5, 0.5, 1))),
    round(words.toDesign, "◎", goToDesign),
  );
  const colourBy = h("select#map-colour", { onchange: () => ((map.colouring = plan.colourings[Number(colourBy.value)]), recolour()) }, ...plan.colourings.map((each, i) => h("option", { value: i }, i === 0 ? words.category : each.name.replaceAll("_", " "))));
  fill(
    place,
    h("div.map-head", {}, h("div.choice", {}, h("label", { htmlFor: "map-colour" }, words.colourBy), colourBy), legend),
    note,
    h("div.map-box", {}, canvas, tip, tools, chosen),
    h("p#map-keys.note", {}, words.mapKeys),
    listing,
  );

  const relist = debounced(() => list(), 250);
  /** @param {() => void} action */
  function moved(action) {
    action();
    tip.hidden = true;
    relist();
  }

  function dark() {
    const theme = document.documentElement.dataset.theme;
    return theme ? theme === "dark" : night.matches;
  }

  function recolour() {
    const of = (/** @type {string} */ name) => {
      canvas.style.color = `var(--${name})`;
      return getComputedStyle(canvas).color;
    };
    map.colours = { paper: of("card"), ink: of("ink"), quiet: of("edge"), accent: of("accent"), dark: dark() };
    const { colouring } = map;
    legend.setAttribute("aria-label", `${words.colourBy} ${colouring.name.replaceAll("_", " ")}`);
    const known = new Set(colouring.of);
    const on = chosenOf(app, colouring.name);
    const focused = [...legend.children].indexOf(/** @type {any} */ (document.activeElement));
    fill(
      legend,
      ...colouring.values.flatMap((value, number) =>
        known.has(number)
          ? [h("button.chip", { type: "button", "aria-pressed": on.includes(value), onclick: () => toggleValue(app, colouring.name, value) }, swatch(colourOf(colouring, number, map.colours.dark)), h("span", { dir: "auto" }, short(value, 40)))]
          : [],
      ),
    );
    if (focused >= 0) /** @type {HTMLElement} */ (legend.children[focused])?.focus();
    map.repaint();
  }

  function refilter() {
    note.hidden = plan.filter(app.options.where);
    recolour();
    relist();
  }

  function list() {
    const inside = plan.within(map.box());
    const shown = inside.slice(0, LISTED);
    summary.textContent = words.inView(shown.length, inside.length);
    if (!listing.open) return;
    fill(
      rows,
      ...shown.map((row) => {
        const button = h("button.link", { type: "button", dir: "auto", onclick: () => open(row) }, plan.ids[row]);
        productOf(plan.ids[row]).then((product) => (button.textContent = short(product.title, 80)), () => {});
        return h("li", {}, button);
      }),
    );
  }

  /** @param {number} row */
  function open(row) {
    trying(app, async () => {
      const product = await productOf(plan.ids[row]);
      map.focused = row;
      map.draw();
      const card = new Card(app, product);
      card.plain();
      const close = round(words.close, "×", () => ((chosen.hidden = true), canvas.focus()));
      close.classList.add("close");
      fill(chosen, close, card.node);
      chosen.hidden = false;
      app.announce(`${short(product.title)}, ${product.category}`);
      close.focus({ preventScroll: true });
    });
  }

  /** Show a product in front with its name. @param {number} row @param {boolean} [say] */
  async function point(row, say = false) {
    if (row < 0) {
      map.hovered = -1;
      tip.hidden = true;
      return map.draw();
    }
    if (say) map.focused = row;
    map.hovered = row;
    map.draw();
    const product = await productOf(plan.ids[row]).catch(() => null);
    if (!product || map.hovered !== row) return;
    const [left, top] = map.toScreen(plan.x[row], plan.y[row]);
    tip.textContent = short(product.title, 80);
    tip.hidden = false;
    tip.style.left = `${Math.min(Math.max(left, 90), map.size.width - 90)}px`;
    tip.style.top = `${top > map.size.height - 110 ? top - 92 : top + 58}px`;
    if (say) app.announce(`${short(product.title)}, ${product.category}`);
  }

  function goToDesign() {
    const at = map.design;
    if (at) moved(() => map.look(at[0], at[1], Math.max(map.view.zoom, 4)));
  }

  let gliding = 0;
  function follow() {
    const answer = app.similar;
    if (!answer) return;
    map.ringed = new Set(answer.results.map((/** @type {any} */ match) => plan.place.get(match.id)).filter((/** @type {any} */ row) => row !== undefined));
    const [x, y] = answer.position;
    const from = map.design;
    cancelAnimationFrame(gliding);
    if (!from || still.matches) {
      map.design = [x, y];
      return map.draw();
    }
    const began = performance.now();
    const glide = (/** @type {number} */ now) => {
      const share = Math.min((now - began) / 350, 1);
      const eased = 1 - (1 - share) ** 3;
      map.design = [from[0] + (x - from[0]) * eased, from[1] + (y - from[1]) * eased];
      map.draw();
      if (share < 1) gliding = requestAnimationFrame(glide);
    };
    gliding = requestAnimationFrame(glide);
  }

  listen(canvas, map, plan, { point, open, moved, goToDesign });
  new ResizeObserver(() => canvas.clientWidth && (map.resize(canvas.clientWidth, canvas.clientHeight), relist())).observe(canvas);
  new MutationObserver(recolour).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  night.addEventListener("change", recolour);
  app.on("options", refilter);
  app.on("results", (what) => what === "similar" && follow());
  refilter();
  follow();
}
