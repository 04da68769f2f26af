// The header, the product on its mount with the tools under it, and the footer: what the other parts hang their actions on.

import { fill, h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { keep, kept } from "../core/preferences.js";
import { words } from "../core/strings.js";
import { begun } from "./frame.js";

/** @param {string} id @param {any} drawing @param {string} word @param {string} [kind] */
const tool = (id, drawing, word, kind = "plain") => h(`button.tool.${kind}#${id}`, { type: "button", title: word }, icon(drawing), h("span.label", {}, word));

/** @param {string} id @param {any} drawing @param {string} word */
const round = (id, drawing, word) => h(`button.round#${id}`, { type: "button", "aria-label": word, title: word }, icon(drawing));

/** @param {HTMLElement} root @param {import("../core/store.js").App} app */
export function mountHeader(root, app) {
  const theme = round("theme", "auto", "");
  fill(root, h("h1.brand", {}, h("span.shop", { dir: "auto", title: app.shop.name }, app.shop.name), h("span.trade", {}, words.studio)), h("div.row", {}, theme, round("help-open", "help", words.help)));
  const order = ["auto", "light", "dark"];
  const show = (/** @type {string} */ value) => {
    if (value === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = value;
    const label = `${words.theme.name}: ${/** @type {any} */ (words.theme)[value]}`;
    theme.setAttribute("aria-label", label);
    theme.title = label;
    fill(theme, icon(/** @type {any} */ (value)));
    app.emit("theme");
  };
  let now = document.documentElement.dataset.theme ?? kept("theme") ?? "auto";
  theme.addEventListener("click", () => {
    now = order[(order.indexOf(now) + 1) % order.length];
    keep("theme", now === "auto" ? null : now);
    show(now);
  });
  show(now);
}

/** @param {HTMLElement} root @param {import("../core/store.js").App} app */
export function mountStage(root, app) {
  const [width, height] = app.shop.frame;
  document.documentElement.style.setProperty("--frame", String(width / height));
  const from = h("p.begun", { dir: "auto" });
  fill(
    root,
    h(
      "div.easel",
      {},
      h("figure.mount", {}, h("img#frame", { width, height, alt: "", decoding: "sync", draggable: false })),
      h("div.caption", {}, h("h2#stage-title", {}, words.stage), from),
      h(
        "div.bench",
        {},
        tool("surprise", "surprise", words.surprise, "main"),
        tool("nearby", "nearby", words.nearby),
        tool("share-open", "share", words.share),
        tool("undo", "undo", words.undo),
        tool("redo", "redo", words.redo),
        tool("reset", "reset", words.reset),
      ),
    ),
    h(
      "div.beside",
      {},
      h("div.row.beginnings", {}, tool("start-open", "product", words.startProduct), tool("photo-open", "photo", words.startPhoto)),
      h("h3.unseen#history-title", {}, words.history),
      h("ol#history", { "aria-labelledby": "history-title" }),
      h("p#note", {}, words.note, " ", h("button.link#card-open", { type: "button" }, words.card)),
      h("p#notice", { role: "status", hidden: true }),
    ),
  );
  const describe = () => {
    const text = begun(app.origin);
    from.textContent = text[0].toUpperCase() + text.slice(1);
    from.title = from.textContent;
  };
  app.on("origin", describe);
  describe();
}

/** @param {HTMLElement} root @param {import("../core/store.js").App} app */
export function mountFooter(root, app) {
  fill(root, h("p", {}, words.footer(app.shop.products)), h("p", {}, h("a", { href: "/docs" }, words.docs)));
}
