// Within another page: tell that page of the design, and no other page.

import { linkTo } from "./core/design-link.js";

/** @param {import("./core/store.js").App} app */
export function mount(app) {
  const parent = parentOrigin();
  if (!parent) return;
  let told = "";
  const tell = () => {
    if (told === app.z()) return;
    told = app.z();
    window.parent.postMessage({ type: "modiste:design", z: told, code: app.asked(), link: linkTo(app) }, parent);
  };
  app.on("settle", tell);
  tell();
}

/** The origin that ?origin= names, if it is one and, where the browser tells, the one that holds this frame. */
export function parentOrigin() {
  const named = new URLSearchParams(location.search).get("origin");
  if (!named || window.parent === window || !URL.canParse(named)) return null;
  const { origin, protocol } = new URL(named);
  if (origin !== named || !/^https?:$/.test(protocol)) return null;
  const holders = location.ancestorOrigins;
  return holders?.length && holders[0] !== origin ? null : origin;
}
