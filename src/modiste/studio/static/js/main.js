// The page's first steps: ask for the shop and its sliders, put the product on its mount, then let all else take its place.

import { get } from "./core/api.js";
import { mount as mountHealth } from "./core/connection.js";
import { designOf } from "./core/design-link.js";
import { byId, fill, h } from "./core/dom.js";
import { App } from "./core/store.js";
import { words } from "./core/strings.js";
import { fromFragment } from "./core/url-fragment.js";
import { mount as mountFrame } from "./design/frame.js";
import { mountFooter, mountHeader, mountStage } from "./design/stage.js";

/** The design to begin with: the link's, the product's that the address names, or the shop's first; what went wrong, in words. @param {App} app */
async function begin(app) {
  const design = designOf(location.hash.slice(1), app);
  const id = fromFragment("product");
  if (design.code) app.setCode(design.code, { origin: { kind: "link" }, commit: false });
  if (design.asked) return design.code ? null : design.other ? words.linkOtherAtStart : words.linkBadAtStart;
  if (!id) return null;
  try {
    const { code, title } = await get(`/v1/products/${encodeURIComponent(id)}`);
    app.setCode(code, { origin: { kind: "product", id, title }, commit: false });
    return null;
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
}

/** @param {any} shop @param {any} sliders */
async function build(shop, sliders) {
  const app = new App(shop, sliders);
  const trouble = await begin(app);
  mountStage(byId("stage"), app);
  mountFrame(app);
  document.title = words.title(shop.name);
  mountHealth(byId("banner"), app);
  mountHeader(byId("header"), app);
  mountFooter(byId("footer"), app);
  if (trouble) Object.assign(byId("notice"), { textContent: trouble, hidden: false });
  const page = await import("./page.js").catch(() => null);
  if (page) await page.mount(app);
  else app.emit("broken");
}

/** Until the server answers: try again, after 1, 2, 4 … 15 seconds. @param {number} wait milliseconds */
async function start(wait = 1000) {
  let shop, sliders;
  try {
    [shop, sliders] = await Promise.all([get("/v1/shop"), get("/v1/sliders")]);
  } catch (error) {
    if (!(error instanceof Error) || !("status" in error)) throw error;
    fill(byId("banner"), h("p", {}, words.failed(error.message)));
    byId("banner").hidden = false;
    setTimeout(() => start(Math.min(2 * wait, 15_000)), wait);
    return;
  }
  byId("banner").hidden = true;
  await build(shop, sliders);
}

start();
