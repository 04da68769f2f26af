// Whose details the design is drawn with: a line below the picture, and the choice of another product.

import { createDialog, openDialog } from "../core/dialog.js";
import { byId, fill, h } from "../core/dom.js";
import { shorten, strings } from "../core/strings.js";
import { createThumbnail } from "../core/thumbnails.js";
import { cachedProduct, toastErrors } from "./moves.js";

/** A product offers its details if its code is nearer than this share of the exemplar's distance. */
const CLEARLY_NEARER = 0.7;

/** @param {HTMLElement} root @param {import("../core/store.js").App} app */
export function mount(root, app) {
  const name = h("span", { dir: "auto" });
  const change = h("button.link#details-change", { type: "button", onclick: open }, strings.detailsChange);
  const none = h(
    "button.link#details-none",
    { type: "button", onclick: () => choose(null) },
    strings.detailsNone,
  );
  const offer = h("button.plain.offer#details-offer", { type: "button", hidden: true }, strings.detailsOffer);
  const grid = h("div.details-grid#details-grid", {
    role: "group",
    "aria-labelledby": "details-dialog-title",
  });
  const dialog = createDialog(
    "details-dialog",
    strings.detailsTitle,
    h("p.quiet", {}, strings.detailsHint),
    grid,
  );
  fill(root, name, " ", change, " ", none);
  byId("frame").after(offer);

  /** @param {import("../core/store.js").Exemplar | null} exemplar */
  function choose(exemplar) {
    if (dialog.open) dialog.close();
    crossFade();
    app.setCode(app.code, { exemplar });
    update();
  }

  /** Draw the design with the details of each of the nearest products. */
  function open() {
    toastErrors(app, async () => {
      const near = (app.similar?.results ?? []).slice(0, 8);
      const details = await Promise.all(near.map(({ id }) => cachedProduct(id)));
      fill(
        grid,
        ...details.map((detail) =>
          h(
            "button.tile",
            {
              type: "button",
              "aria-label": strings.detailsOf(shorten(detail.title)),
              title: shorten(detail.title),
              onclick: () => choose(detail),
            },
            createThumbnail(app, { src: app.renderUrl(app.code, detail) }),
          ),
        ),
      );
      openDialog(dialog);
      byId("details-dialog-title").focus();
    });
  }

  function update() {
    const { exemplar, origin } = app;
    const isOwn = exemplar?.id === origin.id;
    name.textContent = !exemplar
      ? strings.noDetails
      : isOwn
        ? strings.ownDetails
        : strings.detailsOf(shorten(exemplar.title, 60));
    name.title = exemplar?.title ?? "";
    none.hidden = app.exemplar === null;
    offer.hidden = true;
  }

  /** Choose the details of a design that came without, and offer those of a product that is clearly nearer. */
  function compare() {
    const nearest = app.similar?.typicality.nearest;
    if (!nearest || nearest === app.exemplar?.id || app.exemplar === null) return;
    const before = app.exemplar;
    toastErrors(app, async () => {
      const [near, own] = await Promise.all([nearest, before?.id].map((id) => id && cachedProduct(id)));
      if (!near || app.exemplar !== before) return;
      if (!own) return app.setCode(app.code, { exemplar: near, commit: false });
      if (distance(app.code, near.code) > CLEARLY_NEARER * distance(app.code, own.code)) return;
      offer.title = strings.detailsOfferOf(shorten(near.title, 60));
      offer.setAttribute("aria-label", offer.title);
      offer.onclick = () => choose(near);
      offer.hidden = false;
    });
  }

  app.on("exemplar", update);
  app.on("origin", update);
  app.on("code", () => {
    offer.hidden = true; // until the results of the new design are there
  });
  app.on("results", (kind) => {
    offer.hidden = true;
    if (kind === "similar") compare();
  });
  update();
}

/** Let the next picture appear through the present one. */
function crossFade() {
  const image = byId("frame", HTMLImageElement);
  const copy = /** @type {HTMLImageElement} */ (image.cloneNode());
  copy.removeAttribute("id");
  copy.alt = "";
  copy.className = "fading loaded";
  image.after(copy);
  image.addEventListener("load", () => copy.classList.add("gone"), { once: true });
  copy.addEventListener("transitionend", () => copy.remove());
  setTimeout(() => copy.remove(), 2000);
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
function distance(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum);
}
