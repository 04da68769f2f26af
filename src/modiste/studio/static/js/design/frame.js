// The picture of the design: one request in flight, the newest value wins, the last frame stays until the next is here.

import { Refusal, request } from "../core/api.js";
import { byId } from "../core/dom.js";
import { words } from "../core/strings.js";

const PATIENCE = 3; // failures in a row, with the server there, before they are told

/** @param {import("../core/store.js").App} app */
export function mount(app) {
  const image = byId("frame");
  // A second image fetches: were the shown one to fetch, a failure would leave it broken. When this one has loaded,
  // the shown one takes the same address from memory, at once.
  const loader = new Image();
  let wanted = "";
  let loading = "";
  let failures = 0;

  function next() {
    if (loading || wanted === image.getAttribute("src")) return;
    loading = wanted;
    loader.src = loading;
  }

  loader.onload = () => {
    image.src = loading;
    loading = "";
    failures = 0;
    image.classList.add("here");
    if (!app.online) app.emit("suspect"); // it may be back
    next();
  };

  loader.onerror = async () => {
    const failed = loading;
    loading = "";
    failures += 1;
    if (failures < PATIENCE || !app.online) return app.emit("suspect");
    const why = await request(failed).then(() => null, (error) => error);
    if (why instanceof Refusal && why.code === "unknown_frames") app.emit("changed");
    else app.emit("suspect");
  };

  app.on("code", () => {
    wanted = app.frameUrl();
    next();
  });
  app.on("online", () => {
    if (app.online) setTimeout(next, 100 * failures);
  });
  const describe = () => {
    image.alt = words.frame(begun(app.origin));
  };
  app.on("origin", describe);
  describe();
  wanted = app.frameUrl();
  next();
}

/** @param {import("../core/store.js").Origin} origin */
export const begun = (origin) => words.begun[origin.kind](origin.title);
