// The design in the address, and out of the page: a link, a picture, the numbers, a command.

import { picture } from "../core/api.js";
import { designOf, linkTo } from "../core/design-link.js";
import { dialog, open } from "../core/dialog.js";
import { byId, download, h } from "../core/dom.js";
import { words } from "../core/strings.js";
import { toast } from "../core/toast.js";
import { fromFragment, setFragment } from "../core/url-fragment.js";
import { productOf, startFrom, trying } from "./moves.js";
import { toNumber } from "./slider.js";
import { position } from "./sliders.js";

/** @param {import("../core/store.js").App} app */
export function mount(app) {
  app.on("settle", () => setFragment({ z: app.z(), m: app.sliders.frames, product: null }));
  addEventListener("hashchange", () => {
    const design = designOf(location.hash.slice(1), app);
    if (design.code && app.z(design.code) !== app.z()) app.setCode(design.code, { origin: { kind: "link" } });
    if (design.other) toast(app, words.linkOther);
    const id = design.asked ? null : fromFragment("product");
    if (id) trying(app, async () => startFrom(app, await productOf(id)));
  });

  const link = h("input#share-link", { type: "text", readOnly: true, "aria-label": words.shareLink, onfocus: () => link.select() });
  const command = h("textarea#curl", { readOnly: true, rows: 5, "aria-label": words.curlLabel, spellcheck: false, onfocus: () => command.select() });
  const name = (/** @type {string} */ ending) => `design-${app.z().slice(0, 8).replaceAll(/[^\w]/g, "")}.${ending}`;
  const save = (/** @type {Blob} */ blob, /** @type {string} */ ending) => {
    download(blob, name(ending));
    toast(app, words.saved(name(ending)));
  };
  const box = dialog(
    "share",
    words.shareTitle,
    h("p.quiet", {}, words.shareHint),
    h("div.row.copying", {}, link, copier(app, "copy-link", link, "main")),
    h("h3", {}, words.exportAs),
    h(
      "div.row",
      {},
      h("button.plain#export-png", { type: "button", onclick: () => trying(app, async () => save(await picture("/v1/decode", { code: app.asked() }, "image/png"), "png")) }, words.exportPng),
      h("button.plain#export-json", { type: "button", onclick: () => save(new Blob([JSON.stringify(numbers(app), null, 2)], { type: "application/json" }), "json") }, words.exportJson),
    ),
    h("h3", {}, words.exportCurl),
    h("div.copying", {}, command, copier(app, "export-curl", command, "plain")),
  );
  byId("share-open").addEventListener("click", () => {
    link.value = linkTo(app);
    command.value = curl(app);
    open(box);
  });
}

/** @param {import("../core/store.js").App} app @param {string} id @param {HTMLInputElement | HTMLTextAreaElement} field @param {string} kind */
function copier(app, id, field, kind) {
  return h(`button.${kind}#${id}`, {
    type: "button",
    async onclick() {
      field.select();
      const done = await navigator.clipboard?.writeText(field.value).then(() => true, () => false);
      toast(app, done ? words.copied : words.copyFailed);
    },
  }, words.copy);
}

/** The design as numbers, with the sliders' names. @param {import("../core/store.js").App} app */
export function numbers(app) {
  const { model, frames, latents } = app.sliders;
  const sliders = latents.map((/** @type {any} */ { latent, name, low, high }) => ({ latent, name, low, high, number: toNumber(position(app, latent)) }));
  return { model, frames, z: app.z(), code: app.asked(), link: linkTo(app), sliders };
}

/** A word as a shell reads it literally. @param {string} word */
const quoted = (word) => `'${word.replaceAll("'", `'\\''`)}'`;

/** The command that draws the design. @param {import("../core/store.js").App} app */
export function curl(app) {
  const code = JSON.stringify({ code: app.asked().map((x) => +x.toPrecision(9)) });
  return [`curl ${quoted(`${location.origin}/v1/decode`)}`, `-H 'Content-Type: application/json'`, `-H 'Accept: image/png'`, `-d ${quoted(code)}`, "-o design.png"].join(" \\\n  ");
}
