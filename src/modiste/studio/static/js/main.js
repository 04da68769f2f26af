// The page: asks for the shop and its sliders, then lets every part of the page take its place.

import { get } from "./api.js";
import { mount as mountCard } from "./card.js";
import { mount as mountControls } from "./controls.js";
import { byId, fill, h } from "./dom.js";
import { mount as mountEmbed } from "./embed.js";
import { fromFragment } from "./fragment.js";
import { mount as mountFrame } from "./frame.js";
import { mount as mountHealth } from "./health.js";
import { mount as mountHelp } from "./help.js";
import { mount as mountHistory } from "./history.js";
import { mount as mountKeys } from "./keys.js";
import { productOf } from "./moves.js";
import { mount as mountNearby } from "./nearby.js";
import { mount as mountResults } from "./results.js";
import { designOf, mount as mountShare } from "./share.js";
import { mountFooter, mountHeader, mountStage } from "./stage.js";
import { mount as mountStart } from "./start.js";
import { App } from "./store.js";
import { mount as mountSurprise } from "./surprise.js";
import { words } from "./words.js";

/** The design to begin with: the link's, the product's that the address names, or the average. @param {App} app */
async function begin(app) {
  const design = designOf(location.hash.slice(1), app);
  if (design.code) app.setCode(design.code, { origin: { kind: "link" }, commit: false });
  else if (design.asked) return design.other ? words.linkOtherAtStart : words.linkBadAtStart;
  const id = design.asked ? null : fromFragment("product");
  if (!id) return null;
  try {
    const { code, title } = await productOf(id);
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
  document.title = words.title(shop.name);
  mountStage(byId("stage"), app);
  mountFrame(app);
  mountHeader(byId("header"), app);
  mountFooter(byId("footer"), app);
  mountHealth(byId("banner"), app);
  const { jump } = mountControls(byId("controls"), app);
  const { undo, redo } = mountHistory(byId("history"), app);
  mountNearby(app, byId("nearby"));
  mountSurprise(app);
  mountStart(app);
  mountShare(app);
  mountHelp();
  mountCard();
  mountKeys(app, { jump, undo, redo });
  mountEmbed(app);
  if (trouble) Object.assign(byId("notice"), { textContent: trouble, hidden: false });
  document.documentElement.dataset.ready = "";
  mountResults(byId("results"), app);
}

/** Until the server answers: try again, after 1, 2, 4 … 15 seconds. @param {number} wait milliseconds */
async function start(wait = 1000) {
  try {
    const [shop, sliders] = await Promise.all([get("/v1/shop"), get("/v1/sliders")]);
    byId("banner").hidden = true;
    await build(shop, sliders);
  } catch (error) {
    if (!(error instanceof Error) || !("status" in error)) throw error;
    fill(byId("banner"), h("p", {}, words.failed(error.message)));
    byId("banner").hidden = false;
    setTimeout(() => start(Math.min(2 * wait, 15_000)), wait);
  }
}

start();
