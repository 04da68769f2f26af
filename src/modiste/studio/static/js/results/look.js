// The look: the design and what was chosen to go with it, named, kept in this browser, shared by link, saved as a picture.

import { fromText, dequantise } from "../core/design-codec.js";
import { download, fill, h } from "../core/dom.js";
import { newest } from "../core/latest-image.js";
import { loadModule } from "../core/lazy.js";
import { words } from "../core/strings-results.js";
import { toast } from "../core/toast.js";
import { addressWith, fromFragment } from "../core/url-fragment.js";
import { short, tile } from "./cards.js";

const KEY = "modiste-looks";
const MOST = 50; // looks kept; the oldest make room

/** @typedef {{name: string, m: string, z: string, products: string[]}} Look */

/**
 * @param {HTMLElement} root @param {import("../core/store.js").App} app
 * @param {(ids: string[]) => Promise<number>} wear shows products in the rows, kept
 */
export function mount(root, app, wear) {
  const frame = h("img.shot", { alt: "" });
  const paint = newest(frame);
  const set = h("ul.set");
  const name = h("input#look-name", { type: "text", maxLength: 80, autocomplete: "off", placeholder: words.lookUnnamed, dir: "auto", value: short(fromFragment("name") ?? "", 80) });
  const saved = h("ul.saved", { "aria-label": words.looks });
  const byHand = h("p.by-hand", { hidden: true });
  const button = (/** @type {string} */ id, /** @type {string} */ word, /** @type {() => void} */ onclick) => h(`button#${id}.plain`, { type: "button", onclick }, word);
  root.append(
    h("div.heading", {}, h("h3#look-title", {}, words.look), h("p.note", {}, words.lookNote)),
    set,
    h("div.row.naming", {}, h("label", { htmlFor: "look-name" }, words.lookName), name, button("look-save", words.lookSave, save), button("look-share", words.lookShare, share), button("look-picture", words.lookPicture, savePicture)),
    byHand,
    saved,
  );

  const products = () => (app.goesWith ?? []).map((/** @type {any} */ each) => each.product);
  const called = () => name.value.trim() || words.lookUnnamed;
  const address = () => addressWith({ m: app.sliders.frames, z: app.z(), look: products().map((/** @type {any} */ each) => encodeURIComponent(each.id)).join(","), name: called() });

  function draw() {
    paint(app.frameUrl());
    const items = products().map((/** @type {any} */ each) => h("li", {}, h("figure", {}, tile(each, 240, ""), h("figcaption", { dir: "auto" }, short(each.title)))));
    fill(set, h("li.own", {}, h("figure", {}, frame, h("figcaption", {}, words.design))), ...items);
  }

  function save() {
    /** @type {Look} */
    const look = { name: called(), m: app.sliders.frames, z: app.z(), products: products().map((/** @type {any} */ each) => each.id) };
    const looks = [look, ...read().filter((each) => each.name !== look.name)].slice(0, MOST);
    toast(app, write(looks) ? words.lookSaved(look.name) : words.lookNotSaved);
    list();
  }

  function list() {
    const looks = read();
    saved.hidden = looks.length === 0;
    fill(
      saved,
      ...looks.map((look) =>
        h(
          "li",
          {},
          h("button.plain", { type: "button", "aria-label": words.lookOpen(look.name), dir: "auto", onclick: () => open(look) }, look.name),
          h("button.round", { type: "button", "aria-label": words.lookForget(look.name), title: words.lookForget(look.name), onclick: () => forget(look) }, "×"),
        ),
      ),
    );
  }

  /** @param {Look} look */
  async function open(look) {
    const bytes = look.m === app.sliders.frames ? fromText(look.z, app.ranges.length) : null;
    if (bytes) app.setCode(dequantise(bytes, app.ranges), { origin: { kind: "link" } });
    name.value = look.name;
    const gone = await wear(look.products);
    if (!bytes) toast(app, words.lookOther);
    else if (gone) toast(app, words.lookGone(gone));
  }

  /** @param {Look} look */
  function forget(look) {
    write(read().filter((each) => each.name !== look.name));
    list();
    name.focus();
  }

  async function share() {
    try {
      await navigator.clipboard.writeText(address());
      byHand.hidden = true;
      toast(app, words.lookCopied);
    } catch {
      const field = h("input", { type: "text", readOnly: true, value: address(), "aria-label": words.lookCopyByHand });
      fill(byHand, `${words.lookCopyByHand} `, field);
      byHand.hidden = false;
      field.select();
    }
  }

  async function savePicture() {
    const part = await loadModule(app, () => import("./look-picture.js"));
    if (!part) return;
    const items = products().map((/** @type {any} */ each) => ({ url: each.photo, title: each.title }));
    const blob = await part.paintLook(called(), [{ url: app.frameUrl(), title: words.design }, ...items], words.drawn);
    if (blob) download(blob, `${called().replace(/[\\/:*?"<>|\u0000-\u001f]+/g, " ").trim() || "look"}.png`);
  }

  app.on("results", (what) => what === "goes-with" && draw());
  app.on("settle", () => paint(app.frameUrl()));
  draw();
  list();
}

/** @returns {Look[]} what this browser keeps; nothing where it may not, or where it is damaged */
function read() {
  try {
    const looks = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    const sound = (/** @type {any} */ each) => typeof each?.name === "string" && typeof each.z === "string" && Array.isArray(each.products);
    return Array.isArray(looks) ? looks.filter(sound) : [];
  } catch {
    return [];
  }
}

/** @param {Look[]} looks @returns {boolean} whether they are kept */
function write(looks) {
  try {
    localStorage.setItem(KEY, JSON.stringify(looks));
    return true;
  } catch {
    return false;
  }
}
