// The look: the design and the products chosen to go with it. It has a name, and is saved in this browser, as a link or as a picture.

import { dequantise, fromText } from "../core/design-codec.js";
import { designKeys, linkedExemplar } from "../core/design-link.js";
import { copyText, download, fill, h } from "../core/dom.js";
import { latestImage } from "../core/latest-image.js";
import { loadModule } from "../core/lazy.js";
import { shorten } from "../core/strings.js";
import { strings } from "../core/strings-results.js";
import { toast } from "../core/toast.js";
import { fromFragment, urlWith } from "../core/url-fragment.js";
import { photo } from "./cards.js";
import { createLook, fileName, formatProductIds, readLooks, writeLooks } from "./saved-looks.js";

/** @typedef {import("./saved-looks.js").Look} Look */

/**
 * @param {HTMLElement} root @param {import("../core/store.js").App} app
 * @param {(ids: string[]) => Promise<number>} showProducts shows and keeps products; returns how many are missing
 */
export function mount(root, app, showProducts) {
  const image = h("img.photo", { alt: "" });
  const setImage = latestImage(image);
  const items = h("ul.look-items");
  const nameField = h("input#look-name", {
    type: "text",
    maxLength: 80,
    autocomplete: "off",
    placeholder: strings.lookUnnamed,
    dir: "auto",
    value: shorten(fromFragment("name") ?? "", 80),
  });
  const saved = h("ul.saved", { "aria-label": strings.looks });
  const linkBox = h("p.link-box", { hidden: true });
  /** @param {string} id @param {string} label @param {() => void} onclick */
  const button = (id, label, onclick) => h(`button#${id}.plain`, { type: "button", onclick }, label);
  root.append(
    h("div.heading", {}, h("h3#look-title", {}, strings.look), h("p.note", {}, strings.lookNote)),
    items,
    h(
      "div.row.naming",
      {},
      h("label", { htmlFor: "look-name" }, strings.lookName),
      nameField,
      button("look-save", strings.lookSave, save),
      button("look-share", strings.lookShare, share),
      button("look-picture", strings.lookPicture, savePicture),
    ),
    linkBox,
    saved,
  );

  const products = () => app.look.map(({ product }) => product);
  const productIds = () => products().map(({ id }) => id);
  const name = () => nameField.value.trim() || strings.lookUnnamed;

  function draw() {
    setImage(app.renderUrl());
    const own = h("li.own", {}, h("figure", {}, image, h("figcaption", {}, strings.design)));
    fill(items, own, ...products().map(lookItem));
  }

  function save() {
    const look = createLook(name(), app, productIds());
    const isSaved = writeLooks([look, ...readLooks().filter((each) => each.name !== look.name)]);
    toast(app, isSaved ? strings.lookSaved(look.name) : strings.lookNotSaved);
    listSaved();
  }

  function listSaved() {
    const looks = readLooks();
    saved.hidden = looks.length === 0;
    fill(saved, ...looks.map(savedItem));
  }

  /** @param {Look} look */
  function savedItem(look) {
    const openLabel = strings.lookOpen(look.name);
    const deleteLabel = strings.lookDelete(look.name);
    return h(
      "li",
      {},
      h(
        "button.plain",
        { type: "button", "aria-label": openLabel, title: look.name, dir: "auto", onclick: () => open(look) },
        look.name,
      ),
      h(
        "button.round",
        { type: "button", "aria-label": deleteLabel, title: deleteLabel, onclick: () => remove(look) },
        "×",
      ),
    );
  }

  /** @param {Look} look */
  async function open(look) {
    const bytes = look.m === app.sliders.renderId ? fromText(look.z, app.ranges.length) : null;
    if (bytes) {
      const exemplar = await linkedExemplar(look.e);
      app.setCode(dequantise(bytes, app.ranges), { origin: { kind: "link" }, exemplar });
    }
    nameField.value = look.name;
    const missing = await showProducts(look.products);
    if (!bytes) toast(app, strings.lookOther);
    else if (missing) toast(app, strings.lookMissing(missing));
  }

  /** @param {Look} look */
  function remove(look) {
    writeLooks(readLooks().filter((each) => each.name !== look.name));
    listSaved();
    nameField.focus();
  }

  async function share() {
    const keys = designKeys(app.designToken(), app.sliders.renderId, app.exemplar);
    const url = urlWith({ ...keys, look: formatProductIds(productIds()), name: name() });
    const isCopied = await copyText(url);
    linkBox.hidden = isCopied;
    if (isCopied) {
      toast(app, strings.lookCopied);
      return;
    }
    const label = strings.lookCopyByHand;
    const field = h("input", { type: "text", readOnly: true, value: url, "aria-label": label });
    fill(linkBox, `${label} `, field);
    field.select();
  }

  async function savePicture() {
    const module = await loadModule(app, () => import("./look-picture.js"));
    if (!module) return;
    const pictures = [
      { url: app.renderUrl(), title: strings.design },
      ...products().map((product) => ({ url: product.photo, title: product.title })),
    ];
    const blob = await module.drawLook(name(), pictures, strings.designNote);
    if (blob) download(await module.withMark(blob, app.renderUrl()), `${fileName(name())}.png`);
  }

  app.on("results", (kind) => {
    if (kind === "look") draw();
  });
  app.on("settled", () => setImage(app.renderUrl()));
  draw();
  listSaved();
}

/** @param {import("../core/api.js").Product} product */
function lookItem(product) {
  const title = shorten(product.title);
  return h("li", {}, h("figure", {}, photo(product, 240), h("figcaption", { dir: "auto", title }, title)));
}
