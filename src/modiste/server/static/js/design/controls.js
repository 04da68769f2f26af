// The sliders' half of the page: two sets of sliders, and a switch for the pictures along a slider.

import { fill, h } from "../core/dom.js";
import { readPreference, savePreference } from "../core/preferences.js";
import { strings } from "../core/strings.js";
import { createTabs } from "../core/tabs.js";
import { mount as mountAttributeSliders } from "./attribute-sliders.js";
import { mount as mountRealism } from "./realism.js";
import { mount as mountSliders } from "./sliders.js";
import { mount as mountStrip } from "./strip.js";

/** @param {HTMLElement} root @param {import("../core/store.js").App} app */
export function mount(root, app) {
  const latents = h("div");
  const attributes = h("div");
  const toggle = h("input#strip-toggle", {
    type: "checkbox",
    role: "switch",
    checked: readPreference("strip") !== "off",
  });
  toggle.addEventListener("change", () => savePreference("strip", toggle.checked ? "on" : "off"));
  const sets = createTabs(strings.sliderSets, [
    { id: "set-latents", name: strings.sliders, panel: latents },
    { id: "set-attributes", name: strings.attributes, panel: attributes },
  ]);
  latents.append(h("p.quiet.hint", {}, strings.sliderHint));
  attributes.append(h("p.quiet.hint", {}, strings.attributeHint));
  fill(
    root,
    h(
      "div.controls-head",
      {},
      h("h2#controls-title", {}, strings.controls),
      sets.list,
      h("div.row", {}, mountRealism(app), h("label.switch", {}, toggle, strings.strip)),
    ),
    latents,
    attributes,
  );
  sets.show("set-latents");
  mountAttributeSliders(attributes, app);
  const { sliders, order } = mountSliders(latents, app);
  mountStrip(app, sliders, toggle);

  /** Focus the nth slider. @param {number} n 1 to 10 */
  function jump(n) {
    const slider = sliders.get(order[n - 1]);
    if (!slider) return;
    sets.show("set-latents");
    const folded = slider.row.closest("details");
    if (folded) folded.open = true;
    slider.range.focus();
  }
  return { jump };
}
