// "Keep it realistic": after each move, the latents that the user has not set follow, so that the design stays near real
// products.

import { ApiError, fetchMixture } from "../core/api.js";
import { h } from "../core/dom.js";
import { readPreference, savePreference } from "../core/preferences.js";
import { strings } from "../core/strings.js";
import { condition } from "./conditional-mean.js";

/** @param {import("../core/store.js").App} app @returns {HTMLElement} the switch */
export function mount(app) {
  const toggle = h("input#realism", {
    type: "checkbox",
    role: "switch",
    checked: readPreference("realism") !== "off",
  });
  /** @type {import("../core/api.js").Mixture | null} */
  let mixture = null;
  fetchMixture().then(
    (response) => {
      mixture = response;
    },
    (error) => {
      if (!(error instanceof ApiError)) throw error; // without it, the other sliders stay where they are
    },
  );
  app.follow = (code, fixed, directions) =>
    mixture && toggle.checked ? condition(mixture, code, fixed, directions) : code;
  toggle.addEventListener("change", () => savePreference("realism", toggle.checked ? "on" : "off"));
  return h("label.switch", { title: strings.realismHint }, toggle, strings.realism);
}
