// How the studio works, in a few words, and its keys.

import { dialog, open } from "./core/dialog.js";
import { byId, h } from "./core/dom.js";
import { keep, kept } from "./core/preferences.js";
import { words } from "./core/strings.js";

export function mount() {
  const keys = h("input#keys-on", { type: "checkbox", role: "switch", checked: kept("keys") !== "off", onchange: () => keep("keys", keys.checked ? null : "off") });
  const box = dialog(
    "help",
    words.helpTitle,
    ...words.helpIntro.map((text) => h("p", {}, text)),
    h("div.row.between", {}, h("h3", {}, words.helpKeys), h("label.switch", {}, keys, words.helpKeysOn)),
    h("dl.keys", {}, ...words.keys.flatMap(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)])),
  );
  byId("help-open").addEventListener("click", () => open(box));
}
