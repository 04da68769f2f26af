// Keys for those who know them; none while someone types, and none at all for those who switched them off.

import { byId } from "./core/dom.js";
import { kept } from "./core/preferences.js";

/** @param {import("./core/store.js").App} app @param {{jump: (n: number) => void, undo: () => void, redo: () => void}} act */
export function mount(app, { jump, undo, redo }) {
  const press = (/** @type {string} */ id) => byId(id)?.click();
  /** @type {Record<string, () => void>} */
  const single = {
    l: () => app.focus !== null && app.lock(app.focus),
    r: () => press("surprise"),
    n: () => press("nearby"),
    u: undo,
    s: () => press("share-open"),
    "?": () => press("help-open"),
  };
  for (let digit = 0; digit < 10; digit++) single[String(digit)] = () => jump(digit || 10);

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      const action = key === "z" ? (event.shiftKey ? redo : undo) : key === "y" ? redo : null;
      if (!action) return;
      event.preventDefault();
      action();
    } else if (single[key] && kept("keys") !== "off") {
      event.preventDefault();
      single[key]();
    }
  });
}

/** Whether keys there are text. A slider takes none. @param {EventTarget | null} target */
function typing(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.matches("textarea, select")) return true;
  return target instanceof HTMLInputElement && !["range", "checkbox", "radio", "button", "file"].includes(target.type);
}
