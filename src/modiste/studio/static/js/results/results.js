// The shop's answer to a design: what is like it, what goes with it, what lies between two, and where on the map it is.

import { byId, fill, h } from "../core/dom.js";
import { loadModule } from "../core/lazy.js";
import { words } from "../core/strings-results.js";
import { tabs } from "../core/tabs.js";
import { mount as mountTypicality } from "../design/typicality.js";
import { mount as mountFilters } from "./filters.js";
import { mount as mountGoesWith } from "./goes-with.js";
import { mount as mountSimilar } from "./similar.js";

/** @param {HTMLElement} root the section `#results` @param {import("../core/store.js").App} app */
export function mount(root, app) {
  const [width, height] = app.shop.frame;
  root.style.setProperty("--frame", `${width} / ${height}`);
  const like = h("div.panel.like-and-with");
  const between = h("div.panel.two");
  const map = h("div.panel");
  // The parts behind the other tabs are fetched when they are first opened.
  /** @type {Record<string, any>} */
  const opened = {};
  const parts = {
    "tab-between": async () => (await loadModule(app, () => import("./between.js")))?.mount(between, app),
    "tab-map": async () => (await loadModule(app, () => import("../map/map.js")))?.mount(map, app),
  };
  const entries = [
    { id: "tab-shop", name: words.tabs.shop, panel: like },
    { id: "tab-between", name: words.tabs.between, panel: between },
    { id: "tab-map", name: words.tabs.map, panel: map },
  ];
  const { list, show } = tabs(words.title, entries, async (id) => {
    for (const [other, part] of Object.entries(opened)) if (other !== id) (await part)?.hide?.();
    if (!(id in parts)) return;
    opened[id] ??= parts[/** @type {keyof typeof parts} */ (id)]();
    if (!(await opened[id])) delete opened[id]; // another time perhaps
  });
  // How typical the design is stands with the design, where it stays in view.
  const typicality = h("div#typicality");
  byId("note")?.before(typicality);
  const filters = h("div");
  fill(root, h("h2#results-title", {}, words.title), filters, list, like, between, map);
  mountFilters(filters, app);
  mountTypicality(typicality, app);
  const similar = h("section.similar", { "aria-labelledby": "similar-title" });
  const goesWith = h("section.goes", { "aria-label": words.goesWith });
  like.append(similar, goesWith);
  mountSimilar(similar, app);
  mountGoesWith(goesWith, app);
  show("tab-shop");

  const pinned = () => {
    const ends = [app.pins.a && "A", app.pins.b && "B"].filter(Boolean).join(" ");
    byId("tab-between").textContent = ends ? `${words.tabs.between} (${ends})` : words.tabs.between;
  };
  app.on("pins", pinned);
}
