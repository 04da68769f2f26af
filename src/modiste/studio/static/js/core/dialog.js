// Dialogs: native ones, titled, closed by Escape, by their button and by a click beside them; focus goes back where it was.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { words } from "./strings.js";

/**
 * A dialog, in the page but closed. @param {string} id @param {string} title @param {...(Node | string)} content
 * @returns {HTMLDialogElement}
 */
export function dialog(id, title, ...content) {
  const made = h(
    `dialog#${id}`,
    { "aria-labelledby": `${id}-title` },
    h(
      "div.sheet",
      {},
      h("div.sheet-head", {}, h(`h2#${id}-title`, { tabIndex: -1 }, title), h("button.round.sheet-close", { type: "button", "aria-label": words.close, title: words.close, onclick: () => made.close() }, icon("close"))),
      ...content,
    ),
  );
  made.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    if (event.target === made) made.close(); // the sheet covers the dialog, so this is the backdrop
  });
  document.body.append(made);
  return made;
}

/** @param {HTMLDialogElement} made */
export function open(made) {
  if (!made.open) made.showModal();
}
