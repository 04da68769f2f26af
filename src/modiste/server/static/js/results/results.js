// The results half of the page: similar products and recommendations, the interpolation of two designs, and the map.

import { byId, fill, h } from "../core/dom.js";
import { loadModule } from "../core/lazy.js";
import { strings } from "../core/strings-results.js";
import { createTabs } from "../core/tabs.js";
import { mount as mountTypicality } from "../design/typicality.js";
import { mount as mountFilters } from "./filters.js";
import { mount as mountGlance } from "./glance.js";
import { mount as mountGoesWith } from "./goes-with.js";
import { mount as mountSimilar } from "./similar.js";

/** @typedef {{hide?: () => void}} Panel */

/** @param {HTMLElement} root the section `#results` @param {import("../core/store.js").App} app */
export function mount(root, app) {
  const [width, height] = app.shop.renderSize;
  root.style.setProperty("--frame", `${width} / ${height}`);
  const shop = h("div.panel.products");
  const between = h("div.panel");
  const map = h("div.panel");
  /** @type {Record<string, () => Promise<Panel | null>>} the panels that are loaded when they are first shown */
  const loaders = {
    "tab-between": async () => {
      const module = await loadModule(app, () => import("./between.js"));
      return module?.mount(between, app) ?? null;
    },
    "tab-map": async () => {
      const module = await loadModule(app, () => import("../map/map.js"));
      return module?.mount(map, app) ?? null;
    },
  };
  /** @type {Map<string, Promise<Panel | null>>} */
  const loaded = new Map();
  const entries = [
    { id: "tab-shop", name: strings.tabs.shop, panel: shop },
    { id: "tab-between", name: strings.tabs.between, panel: between },
    { id: "tab-map", name: strings.tabs.map, panel: map },
  ];
  const { list, show } = createTabs(strings.title, entries, async (id) => {
    for (const [other, panel] of loaded) if (other !== id) panel.then((each) => each?.hide?.());
    if (!(id in loaders)) return;
    const panel = loaded.get(id) ?? loaders[id]();
    loaded.set(id, panel);
    if (!(await panel)) loaded.delete(id); // try again when it is shown again
  });
  // The typicality is next to the picture, where it stays in view.
  const typicality = h("div#typicality");
  byId("note").before(typicality);
  const filters = h("div");
  fill(root, h("h2#results-title", {}, strings.title), filters, list, shop, between, map);
  mountGlance(byId("glance"), app);
  mountFilters(filters, app);
  mountTypicality(typicality, app);
  const similar = h("section.similar", { "aria-labelledby": "similar-title" });
  const goesWith = h("section.goes-with", { "aria-label": strings.goesWith });
  shop.append(similar, goesWith);
  mountSimilar(similar, app);
  mountGoesWith(goesWith, app);
  show("tab-shop");

  app.on("pins", () => {
    const ends = [app.pins.a && "A", app.pins.b && "B"].filter(Boolean).join(" ");
    byId("tab-between").textContent = ends ? `${strings.tabs.between} (${ends})` : strings.tabs.between;
  });
}
