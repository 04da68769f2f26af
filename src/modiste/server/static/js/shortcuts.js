// Keyboard shortcuts. They are off while someone types, and for visitors who switched them off.

import { readPreference } from "./core/preferences.js";

/** @param {import("./core/store.js").App} app @param {{jump: (n: number) => void, undo: () => void, redo: () => void}} actions */
export function mount(app, { jump, undo, redo }) {
  const click = (/** @type {string} */ id) => document.getElementById(id)?.click();
  /** @type {Record<string, () => void>} */
  const single = {
    l() {
      if (app.focus !== null) app.toggleLock(app.focus);
    },
    r: () => click("surprise"),
    n: () => click("nearby"),
    u: undo,
    s: () => click("share-open"),
    "?": () => click("help-open"),
  };
  for (let digit = 0; digit < 10; digit++) single[String(digit)] = () => jump(digit || 10);

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || takesText(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      const action = key === "z" ? (event.shiftKey ? redo : undo) : key === "y" ? redo : null;
      if (!action) return;
      event.preventDefault();
      action();
    } else if (single[key] && readPreference("keys") !== "off") {
      event.preventDefault();
      single[key]();
    }
  });
}

/** Return whether an element uses keys as text. A slider does not. @param {EventTarget | null} target */
function takesText(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.matches("textarea, select")) return true;
  const keyless = ["range", "checkbox", "radio", "button", "file"];
  return target instanceof HTMLInputElement && !keyless.includes(target.type);
}
