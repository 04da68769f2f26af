// The embedded page: send every new design to the page that embeds it, and to no other page.

import { designKeys, linkTo } from "./core/design-link.js";

/** @param {import("./core/store.js").App} app */
export function mount(app) {
  const origin = parentOrigin();
  if (!origin) return;
  let lastDesign = "";
  const sendDesign = () => {
    const design = app.designToken();
    if (design === lastDesign) return;
    lastDesign = design;
    const { z } = designKeys(design, app.sliders.renderId, app.exemplar);
    window.parent.postMessage(
      { type: "modiste:design", z, code: app.roundedCode(), link: linkTo(app) },
      origin,
    );
  };
  app.on("settled", sendDesign);
  sendDesign();
}

/** Return the embedding page's origin: the one in `?origin=`, if it is valid and the browser does not name another. */
function parentOrigin() {
  const named = new URLSearchParams(location.search).get("origin");
  if (!named || window.parent === window || !URL.canParse(named)) return null;
  const { origin, protocol } = new URL(named);
  if (origin !== named || !/^https?:$/.test(protocol)) return null;
  const ancestors = location.ancestorOrigins;
  return ancestors?.length && ancestors[0] !== origin ? null : origin;
}
