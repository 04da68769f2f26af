// Tabs as in the ARIA Authoring Practices: one of them is in the tab order, arrow keys move between them.

import { h } from "./dom.js";

/**
 * @param {string} label what the tabs choose between
 * @param {{id: string, name: string, panel: HTMLElement}[]} entries @param {(id: string) => void} [onShow]
 * @returns {{list: HTMLElement, show: (id: string, focus?: boolean) => void}}
 */
export function createTabs(label, entries, onShow = () => {}) {
  let current = "";
  const buttons = entries.map(({ id, name, panel }) => {
    panel.id ||= `${id}-panel`;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", id);
    return h(
      `button.tab#${id}`,
      { type: "button", role: "tab", "aria-controls": panel.id, onclick: () => show(id), onkeydown: onKey },
      name,
    );
  });
  const list = h("div.tabs", { role: "tablist", "aria-label": label }, ...buttons);

  /** @param {string} id @param {boolean} [focus] */
  function show(id, focus = false) {
    current = id;
    entries.forEach((entry, i) => {
      const selected = entry.id === id;
      entry.panel.hidden = !selected;
      buttons[i].setAttribute("aria-selected", String(selected));
      buttons[i].tabIndex = selected ? 0 : -1;
      if (selected && focus) buttons[i].focus();
    });
    onShow(id);
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const index = entries.findIndex((entry) => entry.id === current);
    const target = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: entries.length - 1 }[
      event.key
    ];
    if (target === undefined) return;
    event.preventDefault();
    show(entries[(target + entries.length) % entries.length].id, true);
  }

  return { list, show };
}
