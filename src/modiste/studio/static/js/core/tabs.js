// Tabs as the ARIA practices have them: one in the tab order, arrows between them, the panel follows.

import { h } from "./dom.js";

/**
 * @param {string} label what the tabs choose between
 * @param {{id: string, name: string, panel: HTMLElement}[]} entries @param {(id: string) => void} [shown]
 * @returns {{list: HTMLElement, show: (id: string, focus?: boolean) => void, current: () => string}}
 */
export function tabs(label, entries, shown = () => {}) {
  let current = "";
  const buttons = entries.map(({ id, name, panel }) => {
    panel.id ||= `${id}-panel`;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", id);
    return h(`button.tab#${id}`, { type: "button", role: "tab", "aria-controls": panel.id, onclick: () => show(id), onkeydown: move }, name);
  });
  const list = h("div.tabs", { role: "tablist", "aria-label": label }, ...buttons);

  /** @param {string} id @param {boolean} [focus] */
  function show(id, focus = false) {
    current = id;
    entries.forEach((entry, i) => {
      const on = entry.id === id;
      entry.panel.hidden = !on;
      buttons[i].setAttribute("aria-selected", String(on));
      buttons[i].tabIndex = on ? 0 : -1;
      if (on && focus) buttons[i].focus();
    });
    shown(id);
  }

  /** @param {KeyboardEvent} event */
  function move(event) {
    const at = entries.findIndex((entry) => entry.id === current);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: entries.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show(entries[(to + entries.length) % entries.length].id, true);
  }

  return { list, show, current: () => current };
}
