// The help dialog: how the studio works, and its keyboard shortcuts.

import { createDialog, openDialog } from "./core/dialog.js";
import { byId, h } from "./core/dom.js";
import { readPreference, savePreference } from "./core/preferences.js";
import { strings } from "./core/strings.js";

export function mount() {
  const shortcuts = h("input#keys-on", {
    type: "checkbox",
    role: "switch",
    checked: readPreference("keys") !== "off",
    onchange: () => savePreference("keys", shortcuts.checked ? null : "off"),
  });
  const dialog = createDialog(
    "help",
    strings.helpTitle,
    ...strings.helpIntro.map((text) => h("p", {}, text)),
    h(
      "div.row.between",
      {},
      h("h3", {}, strings.helpKeys),
      h("label.switch", {}, shortcuts, strings.helpKeysOn),
    ),
    h(
      "dl.keys",
      {},
      ...strings.keys.flatMap(([key, action]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, action)]),
    ),
  );
  byId("help-open").addEventListener("click", () => openDialog(dialog));
}
