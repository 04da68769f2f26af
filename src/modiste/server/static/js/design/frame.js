// The picture of the design. It loads one picture at a time, always of the newest design, and keeps the last one until then.

import { ApiError, fetchProduct, request } from "../core/api.js";
import { byId } from "../core/dom.js";
import { strings } from "../core/strings.js";

const MAX_FAILURES = 3; // in a row, while the server is reachable, before the cause is looked up

/** @param {import("../core/store.js").App} app */
export function mount(app) {
  const image = byId("frame", HTMLImageElement);
  // A second image loads each picture: if the visible one did, a failure would show a broken image.
  // Then the visible one takes the same URL from the memory cache, at once.
  const loader = new Image();
  let wanted = "";
  let loading = "";
  let failures = 0;

  function loadNext() {
    if (loading || wanted === image.getAttribute("src")) return;
    loading = wanted;
    loader.src = loading;
  }

  loader.onload = () => {
    image.src = loading;
    loading = "";
    failures = 0;
    image.classList.add("loaded");
    if (!app.online) app.emit("request-failed"); // the server may be back: check
    loadNext();
  };

  loader.onerror = async () => {
    const url = loading;
    loading = "";
    failures += 1;
    if (failures < MAX_FAILURES || !app.online) return app.emit("request-failed");
    const error = await request(url).then(
      () => null,
      (reason) => reason,
    );
    if (error instanceof ApiError && error.isUnknownExemplar) return replaceExemplar();
    const modelChanged = error instanceof ApiError && error.isUnknownRenderId;
    app.emit(modelChanged ? "model-changed" : "request-failed");
  };

  /** Take the new photo of a product whose photo has changed; without the product, draw without details. */
  async function replaceExemplar() {
    const { exemplar } = app;
    const product = exemplar && (await fetchProduct(exemplar.id).catch(() => null));
    const isNew = product && product.photoHash !== exemplar.photoHash;
    if (exemplar === app.exemplar) app.setCode(app.code, { exemplar: isNew ? product : null, commit: false });
  }

  const loadDesign = () => {
    wanted = app.renderUrl();
    loadNext();
  };
  const describe = () => {
    image.alt = strings.pictureOf(originText(app.origin));
  };
  app.on("code", loadDesign);
  app.on("online", () => {
    if (app.online) setTimeout(loadNext, 100 * failures);
  });
  app.on("origin", describe);
  describe();
  loadDesign();
}

/** Say where a design started. @param {import("../core/store.js").Origin} origin */
export const originText = (origin) => strings.origin[origin.kind](origin.title);
