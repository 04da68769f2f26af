// Modal dialogs with a title. Escape, the close button and a click on the backdrop close them; the browser restores the focus.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { strings } from "./strings.js";

/**
 * Add a closed dialog to the page. @param {string} id @param {string} title @param {...(Node | string)} content
 * @returns {HTMLDialogElement}
 */
export function createDialog(id, title, ...content) {
  const dialog = h(
    `dialog#${id}`,
    { "aria-labelledby": `${id}-title` },
    h(
      "div.sheet",
      {},
      h(
        "div.sheet-head",
        {},
        h(`h2#${id}-title`, { tabIndex: -1 }, title),
        h(
          "button.round.sheet-close",
          {
            type: "button",
            "aria-label": strings.close,
            title: strings.close,
            onclick: () => dialog.close(),
          },
          icon("close"),
        ),
      ),
      ...content,
    ),
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // the sheet covers the dialog, so this click was on the backdrop
  });
  document.body.append(dialog);
  return dialog;
}

/** @param {HTMLDialogElement} dialog */
export function openDialog(dialog) {
  if (!dialog.open) dialog.showModal();
}
