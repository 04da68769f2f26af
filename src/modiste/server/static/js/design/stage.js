// The header, the picture with its tools, and the footer. Other parts add the actions of the buttons.

import { fill, h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { readPreference, savePreference } from "../core/preferences.js";
import { strings } from "../core/strings.js";
import { originText } from "./frame.js";

/** @typedef {import("../core/icons.js").IconName} IconName */
/** @typedef {"system" | "light" | "dark"} Theme */

/** @type {Theme[]} */
const THEMES = ["system", "light", "dark"];

/** @param {string} id @param {IconName} iconName @param {string} label @param {string} [style] */
const toolButton = (id, iconName, label, style = "plain") =>
  h(
    `button.tool.${style}#${id}`,
    { type: "button", title: label },
    icon(iconName),
    h("span.label", {}, label),
  );

/** @param {string} id @param {IconName} iconName @param {string} label */
const roundButton = (id, iconName, label) =>
  h(`button.round#${id}`, { type: "button", "aria-label": label, title: label }, icon(iconName));

/** @param {HTMLElement} root @param {import("../core/store.js").App} app */
export function mountHeader(root, app) {
  const themeButton = roundButton("theme", "system", "");
  fill(
    root,
    h(
      "h1.brand",
      {},
      h("span.shop", { dir: "auto", title: app.shop.name }, app.shop.name),
      h("span.subtitle", {}, strings.studio),
    ),
    h("div.row", {}, themeButton, roundButton("help-open", "help", strings.help)),
  );
  const saved = document.documentElement.dataset.theme ?? readPreference("theme");
  let theme = THEMES.find((each) => each === saved) ?? "system";
  const show = () => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    const label = `${strings.theme.name}: ${strings.theme[theme]}`;
    themeButton.setAttribute("aria-label", label);
    themeButton.title = label;
    fill(themeButton, icon(theme));
  };
  themeButton.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    savePreference("theme", theme === "system" ? null : theme);
    show();
  });
  show();
}

/** @param {HTMLElement} root @param {import("../core/store.js").App} app */
export function mountStage(root, app) {
  const [width, height] = app.shop.renderSize;
  document.documentElement.style.setProperty("--frame", String(width / height));
  const origin = h("p.origin", { dir: "auto" });
  fill(
    root,
    h(
      "div.picture-box",
      {},
      h("figure.mount", {}, h("img#frame", { width, height, alt: "", decoding: "sync", draggable: false })),
      h("div.caption", {}, h("h2#stage-title", {}, strings.stage), origin, h("p#details.details")),
      h(
        "div.tools",
        {},
        toolButton("surprise", "surprise", strings.surprise, "main"),
        toolButton("nearby", "nearby", strings.nearby),
        toolButton("share-open", "share", strings.share),
        toolButton("undo", "undo", strings.undo),
        toolButton("redo", "redo", strings.redo),
        toolButton("reset", "reset", strings.reset),
      ),
    ),
    h(
      "div.below-picture",
      {},
      h(
        "div.row.start-buttons",
        {},
        toolButton("start-open", "product", strings.startProduct),
        toolButton("photo-open", "photo", strings.startPhoto),
      ),
      h("h3.visually-hidden#history-title", {}, strings.history),
      h("ol#history", { "aria-labelledby": "history-title" }),
      h("p#note", {}, strings.note, " ", h("button.link#card-open", { type: "button" }, strings.card)),
      h("p#notice", { role: "status", hidden: true }),
    ),
  );
  const box = /** @type {HTMLElement} */ (root.firstElementChild);
  new ResizeObserver(() => {
    document.documentElement.style.setProperty("--picture-box-height", `${box.offsetHeight}px`);
  }).observe(box);
  const describe = () => {
    const text = originText(app.origin);
    origin.textContent = text[0].toUpperCase() + text.slice(1);
    origin.title = origin.textContent;
  };
  app.on("origin", describe);
  describe();
}

/** @param {HTMLElement} root @param {import("../core/store.js").App} app */
export function mountFooter(root, app) {
  fill(
    root,
    h("p", {}, strings.footer(app.shop.products)),
    h("p", {}, h("a", { href: "/docs" }, strings.docs)),
  );
}
