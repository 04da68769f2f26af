// A product's photo in a dialog, with all its attributes.

import { createDialog, openDialog } from "../core/dialog.js";
import { byId, fill, h } from "../core/dom.js";
import { readable } from "../core/strings.js";
import { strings } from "../core/strings-results.js";
import { moveTowards, pinProduct, STEP, startFrom } from "../design/moves.js";

/** @type {{dialog: HTMLDialogElement, body: HTMLElement} | null} */
let created = null;

function photoDialog() {
  if (created) return created;
  const body = h("div.enlarged");
  created = { body, dialog: createDialog("photo-view", "", body) };
  return created;
}

/** @param {import("../core/store.js").App} app @param {import("../core/api.js").Product} product */
export function showPhoto(app, product) {
  const { dialog, body } = photoDialog();
  /** @param {string} label @param {() => void} action @param {string} [style] */
  const actionButton = (label, action, style = "plain") => {
    const onclick = () => {
      dialog.close();
      action();
    };
    return h(`button.${style}`, { type: "button", onclick }, label);
  };
  const attributes = Object.entries({ category: product.category, ...product.attributes })
    .filter(([, value]) => value !== null && value !== "" && value !== product.title)
    .flatMap(([name, value]) => [
      h("dt", { dir: "auto" }, readable(name)),
      h("dd", { dir: "auto" }, displayValue(value)),
    ]);
  const title = byId("photo-view-title");
  title.dir = "auto";
  title.textContent = product.title;
  fill(
    body,
    h("img.photo", { src: product.photo, alt: "" }),
    h(
      "div.facts",
      {},
      h(
        "div.row",
        {},
        actionButton(strings.start, () => startFrom(app, product), "main"),
        actionButton(strings.moreLike, () => moveTowards(app, product)),
        actionButton(strings.lessLike, () => moveTowards(app, product, -STEP)),
        actionButton(strings.pin("A"), () => pinProduct(app, "a", product)),
        actionButton(strings.pin("B"), () => pinProduct(app, "b", product)),
      ),
      h("dl", {}, ...attributes),
    ),
  );
  openDialog(dialog);
}

/** Return a value as text, or as a link if it is a web address. @param {any} value */
function displayValue(value) {
  if (typeof value === "boolean") return value ? strings.yes : strings.no;
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  if (!/^https?:\/\/\S+$/i.test(text)) return text;
  return h("a", { href: text, target: "_blank", rel: "noopener noreferrer" }, strings.visit);
}
