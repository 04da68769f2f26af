// Everything on the page except the picture. It is loaded after the request for the picture.

import { byId } from "./core/dom.js";
import { mount as mountThumbnails } from "./core/thumbnails.js";
import { mount as mountControls } from "./design/controls.js";
import { mount as mountExemplar } from "./design/exemplar.js";
import { mount as mountHistory } from "./design/history.js";
import { mount as mountNearby } from "./design/nearby.js";
import { mount as mountShare } from "./design/share.js";
import { mount as mountStart } from "./design/start.js";
import { mount as mountSurprise } from "./design/surprise.js";
import { mount as mountEmbed } from "./embed.js";
import { mount as mountHelp } from "./help.js";
import { mount as mountModelCard } from "./model-card.js";
import { mount as mountShortcuts } from "./shortcuts.js";

/** @param {import("./core/store.js").App} app */
export async function mount(app) {
  const { jump } = mountControls(byId("controls"), app);
  const { undo, redo } = mountHistory(byId("history"), app);
  mountThumbnails(app);
  mountExemplar(byId("details"), app);
  mountNearby(app, byId("nearby"));
  mountSurprise(app);
  mountStart(app);
  mountShare(app);
  mountHelp();
  mountModelCard();
  mountShortcuts(app, { jump, undo, redo });
  mountEmbed(app);
  document.documentElement.dataset.ready = "";
  const results = await import("./results/results.js");
  results.mount(byId("results"), app);
}
