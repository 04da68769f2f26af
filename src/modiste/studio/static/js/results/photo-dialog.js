// A product's photo, large, with everything that the shop says of it.

import { dialog, open } from "../core/dialog.js";
import { byId, fill, h } from "../core/dom.js";
import { words } from "../core/strings-results.js";
import { moveTowards, pinProduct, startFrom } from "../design/moves.js";

/** @type {{view: HTMLDialogElement, body: HTMLElement} | null} */
let made = null;

/** @param {import("../core/store.js").App} app @param {import("./cards.js").Product} product */
export function openPhoto(app, product) {
  if (!made) {
    const body = h("div.closely");
    made = { body, view: dialog("photo-view", "", body) };
  }
  const { view, body } = made;
  const act = (/** @type {string} */ word, /** @type {() => void} */ action, kind = "plain") =>
    h(`button.${kind}`, { type: "button", onclick: () => (view.close(), action()) }, word);
  const facts = Object.entries({ category: product.category, ...product.attributes })
    .filter(([, value]) => value !== null && value !== "" && value !== product.title)
    .flatMap(([name, value]) => [h("dt", { dir: "auto" }, name.replaceAll("_", " ")), h("dd", { dir: "auto" }, told(value))]);
  const title = byId("photo-view-title");
  title.dir = "auto";
  title.textContent = product.title;
  fill(
    body,
    h("img.shot", { src: product.photo, alt: "" }),
    h(
      "div.facts",
      {},
      h(
        "div.row",
        {},
        act(words.start, () => startFrom(app, product), "main"),
        act(words.moreLike, () => moveTowards(app, product)),
        act(words.lessLike, () => moveTowards(app, product, -0.3)),
        act(words.pin("A"), () => pinProduct(app, "a", product)),
        act(words.pin("B"), () => pinProduct(app, "b", product)),
      ),
      h("dl", {}, ...facts),
    ),
  );
  open(view);
}

/** A value as text, or as a link where it is an address of the web. @param {any} value */
function told(value) {
  if (typeof value === "boolean") return value ? words.yes : words.no;
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  if (/^https?:\/\/\S+$/i.test(text)) return h("a", { href: text, target: "_blank", rel: "noopener noreferrer" }, words.visit);
  return text;
}
