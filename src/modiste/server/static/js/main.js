// The start of the page: fetch the shop and its sliders, show the picture, then load everything else.

import { ApiError, fetchProduct, fetchShop, fetchSliders } from "./core/api.js";
import { mount as mountConnection } from "./core/connection.js";
import { linkedExemplar, readDesign } from "./core/design-link.js";
import { byId, fill, h } from "./core/dom.js";
import { App } from "./core/store.js";
import { strings } from "./core/strings.js";
import { fromFragment } from "./core/url-fragment.js";
import { mount as mountFrame } from "./design/frame.js";
import { mountFooter, mountHeader, mountStage } from "./design/stage.js";

const FIRST_RETRY_MS = 1000; // doubled each time
const MAX_RETRY_MS = 15_000;

/**
 * Set the first design: the link's, the one of the product in the URL, or the shop's own. Returns a message if the
 * requested one cannot be shown.
 * @param {App} app
 */
async function setFirstDesign(app) {
  const design = readDesign(location.hash.slice(1), app);
  const id = fromFragment("product");
  if (design.code) {
    const exemplar = await linkedExemplar(design.exemplar);
    app.setCode(design.code, { origin: { kind: "link" }, exemplar, commit: false });
  }
  if (design.isPresent) {
    return design.code ? null : design.otherModel ? strings.linkOtherAtStart : strings.linkBadAtStart;
  }
  if (!id) return null;
  try {
    const product = await fetchProduct(id);
    app.setCode(product.code, {
      origin: { kind: "product", id, title: product.title },
      exemplar: product,
      commit: false,
    });
    return null;
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
}

/** @param {import("./core/api.js").Shop} shop @param {import("./core/api.js").Sliders} sliders */
async function build(shop, sliders) {
  const app = new App(shop, sliders);
  const problem = await setFirstDesign(app);
  mountStage(byId("stage"), app);
  mountFrame(app);
  document.title = strings.title(shop.name);
  mountConnection(byId("banner"), app);
  mountHeader(byId("header"), app);
  mountFooter(byId("footer"), app);
  if (problem) Object.assign(byId("notice"), { textContent: problem, hidden: false });
  const page = await import("./page.js").catch(() => null);
  if (page) await page.mount(app);
  else app.emit("load-failed");
}

/** Start, and retry until the server answers. */
async function start(retryMs = FIRST_RETRY_MS) {
  const banner = byId("banner");
  let responses;
  try {
    responses = await Promise.all([fetchShop(), fetchSliders()]);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    fill(banner, h("p", {}, strings.failed(error.message)));
    banner.hidden = false;
    setTimeout(() => start(Math.min(2 * retryMs, MAX_RETRY_MS)), retryMs);
    return;
  }
  banner.hidden = true;
  await build(...responses);
}

start();
