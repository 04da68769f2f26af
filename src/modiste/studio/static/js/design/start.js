// Where a design may begin: a product of the shop, a photo, an average, a link.

import { get } from "../core/api.js";
import { designOf } from "../core/design-link.js";
import { dialog, open } from "../core/dialog.js";
import { byId, debounced, fill, h } from "../core/dom.js";
import { words } from "../core/strings.js";
import { tabs } from "../core/tabs.js";
import { thumb } from "../core/thumbnails.js";
import { startFrom } from "./moves.js";
import { mount as mountUpload } from "./upload.js";

const PAGE = 24;

/** @param {import("../core/store.js").App} app */
export function mount(app) {
  const close = () => box.close();
  const upload = mountUpload(app, {
    show() {
      open(box);
      choose.show("start-tab-photo");
    },
    close,
  });
  const products = browse(app, close);
  const entries = [
    { id: "start-tab-product", name: words.fromProducts, panel: products.panel },
    { id: "start-tab-photo", name: words.fromPhoto, panel: upload.panel },
    { id: "start-tab-average", name: words.fromAverage, panel: averages(app, close) },
    { id: "start-tab-link", name: words.fromLink, panel: link(app, close) },
  ];
  const choose = tabs(words.startTitle, entries, (id) => id === "start-tab-product" && box.open && products.load());
  const box = dialog("start", words.startTitle, choose.list, ...entries.map((each) => each.panel));
  choose.show("start-tab-product");

  /** @param {string} id */
  function show(id) {
    upload.reset();
    open(box);
    choose.show(id, true);
  }
  byId("start-open").addEventListener("click", () => show("start-tab-product"));
  byId("photo-open").addEventListener("click", () => show("start-tab-photo"));
}

/** @param {import("../core/store.js").App} app @param {() => void} close */
function browse(app, close) {
  let page = 1;
  let category = "";
  let asked = "";
  /** @type {AbortController | null} */
  let running = null;
  const field = h("input#start-search", { type: "search", placeholder: words.searchHint, autocomplete: "off", "aria-label": words.search });
  const chips = h("div.chips", { role: "group", "aria-label": words.categories }, ...["", ...app.shop.categories.map((/** @type {any} */ each) => each.name)].map((name) => h("button.chip", { type: "button", dir: "auto", "aria-pressed": String(name === ""), onclick: (/** @type {any} */ event) => pick(name, event.currentTarget) }, name || words.everything)));
  const grid = h("ul.shelf");
  const state = h("p.quiet", { role: "status" });
  const earlier = h("button.plain", { type: "button", onclick: () => turn(-1) }, words.earlier);
  const later = h("button.plain", { type: "button", onclick: () => turn(1) }, words.later);
  const where = h("span.quiet");
  const panel = h("div#start-product", {}, h("div.finder", {}, field, chips), state, grid, h("div.row.pager", {}, earlier, where, later));
  field.addEventListener("input", debounced(() => turn(0), 200));

  /** @param {string} name @param {HTMLElement} button */
  function pick(name, button) {
    category = name;
    for (const each of chips.children) each.setAttribute("aria-pressed", String(each === button));
    turn(0);
  }

  /** @param {number} by 0: back to the first page */
  function turn(by) {
    page = by ? page + by : 1;
    load();
  }

  async function load() {
    const query = new URLSearchParams({ page: String(page), size: String(PAGE), q: field.value.trim(), category });
    for (const key of ["q", "category"]) if (!query.get(key)) query.delete(key);
    if (asked === query.toString()) return;
    asked = query.toString();
    running?.abort();
    const mine = (running = new AbortController());
    grid.setAttribute("aria-busy", "true");
    if (!grid.children.length) fill(grid, ...Array.from({ length: 12 }, () => h("li.skeleton.book", { "aria-hidden": "true" })));
    try {
      show(await get(`/v1/products?${asked}`, mine.signal));
    } catch (error) {
      if (mine.signal.aborted) return;
      asked = "";
      fill(grid);
      state.textContent = words.failed(/** @type {Error} */ (error).message);
    }
    grid.removeAttribute("aria-busy");
  }

  /** @param {any} answer GET /v1/products */
  function show({ total, results, size }) {
    const pages = Math.max(1, Math.ceil(total / size));
    state.textContent = total ? words.found(total) : words.nothingFound;
    where.textContent = words.page(page, pages);
    earlier.disabled = page <= 1;
    later.disabled = page >= pages;
    fill(grid, ...results.map((/** @type {any} */ product) => h("li", {}, h("button.book", { type: "button", title: product.title, "data-product": product.id, onclick: () => (close(), startFrom(app, product)) }, h("span.tile", {}, h("img", { src: product.thumbnail, alt: "", loading: "lazy", decoding: "async" })), h("span.clamp", { dir: "auto" }, product.title)))));
    grid.scrollTop = 0;
  }

  return { panel, load };
}

/** @param {import("../core/store.js").App} app @param {() => void} close */
function averages(app, close) {
  const entries = [
    { name: words.averageAll, count: app.shop.products, average: app.sliders.average, title: undefined },
    ...app.shop.categories.map((/** @type {any} */ each) => ({ ...each, title: each.name })),
  ];
  return h(
    "div#start-average",
    {},
    h("p.quiet", {}, words.averageHint),
    h(
      "ul.shelf",
      {},
      ...entries.map(({ name, count, average, title }) =>
        h("li", {}, h("button.book", { type: "button", title: words.averageOf(name, count), onclick: () => (close(), app.setCode(average, { origin: { kind: "average", title } })) }, h("span.tile", {}, thumb(app, { src: app.frameUrl(average), loading: "lazy" })), h("span.clamp", { dir: "auto" }, name), h("span.quiet", {}, words.found(count)))),
      ),
    ),
  );
}

/** @param {import("../core/store.js").App} app @param {() => void} close */
function link(app, close) {
  const field = h("input#start-link", { type: "url", autocomplete: "off", "aria-label": words.linkField, "aria-describedby": "start-link-state" });
  const state = h("p.state#start-link-state", { role: "status" });
  const form = h("form.row", {}, field, h("button.main", {}, words.linkOpen));
  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    const design = designOf(field.value.slice(field.value.indexOf("#") + 1), app);
    state.className = "state bad";
    if (design.code) {
      state.textContent = "";
      field.value = "";
      close();
      app.setCode(design.code, { origin: { kind: "link" } });
    } else state.textContent = design.other ? words.linkOther : words.linkBad;
  });
  form.noValidate = true;
  return h("div", {}, h("p.quiet", {}, words.linkHint), form, state);
}
