// The design in the URL, and its exports: a link, a picture, its numbers, a command.

import { DECODE_PATH, fetchPicture } from "../core/api.js";
import { designKeys, linkedExemplar, linkTo, readDesign } from "../core/design-link.js";
import { createDialog, openDialog } from "../core/dialog.js";
import { byId, copyText, download, h } from "../core/dom.js";
import { curlCommand } from "../core/shell.js";
import { strings } from "../core/strings.js";
import { toast } from "../core/toast.js";
import { fromFragment, setFragment } from "../core/url-fragment.js";
import { cachedProduct, startFrom, toastErrors } from "./moves.js";
import { toNumber } from "./slider.js";
import { positionOf } from "./sliders.js";

/** @param {import("../core/store.js").App} app */
export function mount(app) {
  app.on("settled", () => {
    setFragment({
      e: null,
      ...designKeys(app.designToken(), app.sliders.renderId, app.exemplar),
      product: null,
    });
  });
  addEventListener("hashchange", async () => {
    const design = readDesign(location.hash.slice(1), app);
    if (design.code && app.designToken(design.code) !== app.designToken()) {
      const exemplar = await linkedExemplar(design.exemplar);
      app.setCode(design.code, { origin: { kind: "link" }, exemplar });
    }
    if (design.otherModel) toast(app, strings.linkOther);
    const id = design.isPresent ? null : fromFragment("product");
    if (id) toastErrors(app, async () => startFrom(app, await cachedProduct(id)));
  });

  const link = h("input#share-link", {
    type: "text",
    readOnly: true,
    "aria-label": strings.shareLink,
    onfocus: () => link.select(),
  });
  const command = h("textarea#curl", {
    readOnly: true,
    rows: 5,
    "aria-label": strings.curlLabel,
    spellcheck: false,
    onfocus: () => command.select(),
  });
  /** @param {Blob} blob @param {string} extension */
  const save = (blob, extension) => {
    const name = `design-${app.designToken().slice(0, 8).replaceAll(/\W/g, "")}.${extension}`;
    download(blob, name);
    toast(app, strings.saved(name));
  };
  const savePng = () =>
    toastErrors(app, async () =>
      save(await fetchPicture(app.roundedCode(), app.exemplar?.id ?? null), "png"),
    );
  const saveJson = () =>
    save(new Blob([JSON.stringify(designNumbers(app), null, 2)], { type: "application/json" }), "json");
  const dialog = createDialog(
    "share",
    strings.shareTitle,
    h("p.quiet", {}, strings.shareHint),
    h("div.row.copying", {}, link, copyButton(app, "copy-link", link, "main")),
    h("h3", {}, strings.exportAs),
    h(
      "div.row",
      {},
      h("button.plain#export-png", { type: "button", onclick: savePng }, strings.exportPng),
      h("button.plain#export-json", { type: "button", onclick: saveJson }, strings.exportJson),
    ),
    h("h3", {}, strings.exportCurl),
    h("div.copying", {}, command, copyButton(app, "export-curl", command, "plain")),
  );
  byId("share-open").addEventListener("click", () => {
    link.value = linkTo(app);
    command.value = designCommand(app);
    openDialog(dialog);
  });
}

/** @param {import("../core/store.js").App} app @param {string} id @param {HTMLInputElement | HTMLTextAreaElement} field @param {string} style */
function copyButton(app, id, field, style) {
  const copy = async () => {
    field.select();
    toast(app, (await copyText(field.value)) ? strings.copied : strings.copyFailed);
  };
  return h(`button.${style}#${id}`, { type: "button", onclick: copy }, strings.copy);
}

/** Return the design as numbers, with the names of the sliders. @param {import("../core/store.js").App} app */
function designNumbers(app) {
  const { model, renderId, latents } = app.sliders;
  const sliders = latents.map(({ latent, name, low, high }) => ({
    latent,
    name,
    low,
    high,
    number: toNumber(positionOf(app, latent)),
  }));
  const keys = designKeys(app.designToken(), renderId, app.exemplar);
  return {
    model,
    frames: keys.m,
    z: keys.z,
    exemplar: app.exemplar?.id ?? null,
    code: app.roundedCode(),
    link: linkTo(app),
    sliders,
  };
}

/** Return the command that requests the design's picture. @param {import("../core/store.js").App} app */
function designCommand(app) {
  const code = app.roundedCode().map((x) => +x.toPrecision(9));
  return curlCommand(
    location.origin + DECODE_PATH,
    { code, exemplar: app.exemplar?.id ?? null },
    "image/png",
    "design.png",
  );
}
