// The dialog to choose where the design starts: a product of the shop, a photo, an average, or a link.

import { fetchProducts } from "../core/api.js";
import { readDesign } from "../core/design-link.js";
import { createDialog, openDialog } from "../core/dialog.js";
import { byId, debounced, fill, h } from "../core/dom.js";
import { strings } from "../core/strings.js";
import { createTabs } from "../core/tabs.js";
import { createThumbnail } from "../core/thumbnails.js";
import { startFrom } from "./moves.js";
import { mount as mountUpload } from "./upload.js";

const PAGE_SIZE = 24;
const SEARCH_DELAY_MS = 200;

/** @typedef {import("../core/store.js").App} App */

/** @param {App} app */
export function mount(app) {
  const close = () => dialog.close();
  const upload = mountUpload(app, {
    show() {
      openDialog(dialog);
      tabs.show("start-tab-photo");
    },
    close,
  });
  const products = productPanel(app, close);
  const entries = [
    { id: "start-tab-product", name: strings.fromProducts, panel: products.panel },
    { id: "start-tab-photo", name: strings.fromPhoto, panel: upload.panel },
    { id: "start-tab-average", name: strings.fromAverage, panel: averagePanel(app, close) },
    { id: "start-tab-link", name: strings.fromLink, panel: linkPanel(app, close) },
  ];
  const tabs = createTabs(strings.startTitle, entries, (id) => {
    if (id === "start-tab-product" && dialog.open) products.load();
  });
  /** @type {HTMLDialogElement} */
  const dialog = createDialog("start", strings.startTitle, tabs.list, ...entries.map(({ panel }) => panel));
  tabs.show("start-tab-product");

  /** @param {string} id */
  function show(id) {
    upload.reset();
    openDialog(dialog);
    tabs.show(id, true);
  }
  byId("start-open").addEventListener("click", () => show("start-tab-product"));
  byId("photo-open").addEventListener("click", () => show("start-tab-photo"));
}

/** @param {App} app @param {() => void} close */
function productPanel(app, close) {
  let page = 1;
  let category = "";
  let loadedQuery = "";
  /** @type {AbortController | null} */
  let running = null;
  const field = h("input#start-search", {
    type: "search",
    placeholder: strings.searchHint,
    autocomplete: "off",
    "aria-label": strings.search,
  });
  const chips = ["", ...app.shop.categories.map(({ name }) => name)].map((name) =>
    h(
      "button.chip",
      {
        type: "button",
        dir: "auto",
        "aria-pressed": String(name === ""),
        onclick: () => chooseCategory(name),
      },
      name || strings.allCategories,
    ),
  );
  const grid = h("ul.grid");
  const state = h("p.quiet", { role: "status" });
  const previous = h("button.plain", { type: "button", onclick: () => turnPage(-1) }, strings.previous);
  const next = h("button.plain", { type: "button", onclick: () => turnPage(1) }, strings.next);
  const pageNumber = h("span.quiet");
  const panel = h(
    "div#start-product",
    {},
    h("div.finder", {}, field, h("div.chips", { role: "group", "aria-label": strings.categories }, ...chips)),
    state,
    grid,
    h("div.row.pager", {}, previous, pageNumber, next),
  );
  field.addEventListener(
    "input",
    debounced(() => firstPage(), SEARCH_DELAY_MS),
  );

  /** @param {string} name "" for all */
  function chooseCategory(name) {
    category = name;
    const index = ["", ...app.shop.categories.map((each) => each.name)].indexOf(name);
    chips.forEach((chip, i) => {
      chip.setAttribute("aria-pressed", String(i === index));
    });
    firstPage();
  }

  function firstPage() {
    page = 1;
    load();
  }

  /** @param {number} by */
  function turnPage(by) {
    page += by;
    load();
  }

  async function load() {
    /** @type {Record<string, string>} */
    const query = { page: String(page), size: String(PAGE_SIZE), q: field.value.trim(), category };
    for (const key of ["q", "category"]) if (!query[key]) delete query[key];
    const key = JSON.stringify(query);
    if (loadedQuery === key) return;
    loadedQuery = key;
    running?.abort();
    const controller = new AbortController();
    running = controller;
    grid.setAttribute("aria-busy", "true");
    if (!grid.children.length) {
      fill(grid, ...Array.from({ length: 12 }, () => h("li.skeleton.grid-item", { "aria-hidden": "true" })));
    }
    try {
      show(await fetchProducts(query, controller.signal));
    } catch (error) {
      if (controller.signal.aborted) return;
      loadedQuery = "";
      fill(grid);
      state.textContent = strings.failed(/** @type {Error} */ (error).message);
    }
    grid.removeAttribute("aria-busy");
  }

  /** @param {import("../core/api.js").ProductPage} response */
  function show({ total, results, size }) {
    const pages = Math.max(1, Math.ceil(total / size));
    state.textContent = total ? strings.products(total) : strings.noProducts;
    pageNumber.textContent = strings.page(page, pages);
    previous.disabled = page <= 1;
    next.disabled = page >= pages;
    fill(grid, ...results.map(productItem));
    grid.scrollTop = 0;
  }

  /** @param {import("../core/api.js").Product} product */
  function productItem(product) {
    const choose = () => {
      close();
      startFrom(app, product);
    };
    const image = h("img", { src: product.thumbnail, alt: "", loading: "lazy", decoding: "async" });
    const properties = { type: "button", title: product.title, "data-product": product.id, onclick: choose };
    return h(
      "li",
      {},
      h(
        "button.grid-item",
        properties,
        h("span.tile", {}, image),
        h("span.clamp", { dir: "auto" }, product.title),
      ),
    );
  }

  return { panel, load };
}

/** @param {App} app @param {() => void} close */
function averagePanel(app, close) {
  const whole = { name: strings.averageAll, count: app.shop.products, average: app.sliders.average };
  const entries = [
    { ...whole, title: undefined },
    ...app.shop.categories.map((category) => ({ ...category, title: category.name })),
  ];
  const items = entries.map(({ name, count, average, title }) => {
    const choose = () => {
      close();
      app.setCode(average, { origin: { kind: "average", title }, exemplar: null });
    };
    const url = app.renderUrl(Float32Array.from(average), null); // what products have in common, without details of one
    return h(
      "li",
      {},
      h(
        "button.grid-item",
        { type: "button", title: strings.averageOf(name, count), onclick: choose },
        h("span.tile", {}, createThumbnail(app, { src: url, loading: "lazy" })),
        h("span.clamp", { dir: "auto" }, name),
        h("span.quiet", {}, strings.products(count)),
      ),
    );
  });
  return h("div#start-average", {}, h("p.quiet", {}, strings.averageHint), h("ul.grid", {}, ...items));
}

/** @param {App} app @param {() => void} close */
function linkPanel(app, close) {
  const field = h("input#start-link", {
    type: "url",
    autocomplete: "off",
    "aria-label": strings.linkField,
    "aria-describedby": "start-link-state",
  });
  const state = h("p.state#start-link-state", { role: "status" });
  const form = h("form.row", { noValidate: true }, field, h("button.main", {}, strings.linkOpen));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const design = readDesign(field.value.slice(field.value.indexOf("#") + 1), app);
    state.className = "state bad";
    if (!design.code) {
      state.textContent = design.otherModel ? strings.linkOther : strings.linkBad;
      return;
    }
    state.textContent = "";
    field.value = "";
    close();
    app.setCode(design.code, { origin: { kind: "link" } });
  });
  return h("div", {}, h("p.quiet", {}, strings.linkHint), form, state);
}
