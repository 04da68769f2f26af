// All that the page is besides the product: it comes once the product is on its way.

import { mount as mountCard } from "./card.js";
import { mount as mountControls } from "./controls.js";
import { byId } from "./dom.js";
import { mount as mountEmbed } from "./embed.js";
import { mount as mountHelp } from "./help.js";
import { mount as mountHistory } from "./history.js";
import { mount as mountKeys } from "./keys.js";
import { mount as mountNearby } from "./nearby.js";
import { mount as mountShare } from "./share.js";
import { mount as mountStart } from "./start.js";
import { mount as mountSurprise } from "./surprise.js";
import { mount as mountThumbs } from "./thumbs.js";

/** @param {import("./store.js").App} app */
export async function mount(app) {
  const { jump } = mountControls(byId("controls"), app);
  const { undo, redo } = mountHistory(byId("history"), app);
  mountThumbs(app);
  mountNearby(app, byId("nearby"));
  mountSurprise(app);
  mountStart(app);
  mountShare(app);
  mountHelp();
  mountCard();
  mountKeys(app, { jump, undo, redo });
  mountEmbed(app);
  document.documentElement.dataset.ready = "";
  const results = await import("./results.js");
  results.mount(byId("results"), app);
}
