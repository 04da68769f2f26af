// The sliders' half of the page: two sets to choose between, and whether pictures show where a slider leads.

import { fill, h } from "../core/dom.js";
import { kept, keep } from "../core/preferences.js";
import { words } from "../core/strings.js";
import { tabs } from "../core/tabs.js";
import { mount as mountAttributes } from "./attribute-sliders.js";
import { mount as mountSliders } from "./sliders.js";
import { mount as mountStrip } from "./strip.js";

/** @param {HTMLElement} root @param {import("../core/store.js").App} app */
export function mount(root, app) {
  const latents = h("div");
  const attributes = h("div");
  const toggle = h("input#strip-toggle", { type: "checkbox", role: "switch", checked: kept("strip") !== "off" });
  toggle.addEventListener("change", () => keep("strip", toggle.checked ? "on" : "off"));
  const sets = tabs(words.sets, [
    { id: "set-latents", name: words.sliders, panel: latents },
    { id: "set-attributes", name: words.attributes, panel: attributes },
  ]);
  const hint = h("p.quiet.hint", {}, words.sliderHint);
  latents.append(hint);
  attributes.append(h("p.quiet.hint", {}, words.attributeHint));
  fill(
    root,
    h("div.controls-head", {}, h("h2#controls-title", {}, words.controls), sets.list, h("label.switch", {}, toggle, words.strip)),
    latents,
    attributes,
  );
  sets.show("set-latents");
  mountAttributes(attributes, app);
  const { rows, order } = mountSliders(latents, app);
  mountStrip(app, rows, toggle);

  /** Jump to the nth slider. @param {number} n 1 to 10 */
  function jump(n) {
    const parts = rows.get(order[n - 1]);
    if (!parts) return;
    sets.show("set-latents");
    const folded = parts.row.closest("details");
    if (folded) folded.open = true;
    parts.range.focus();
  }
  return { jump };
}
