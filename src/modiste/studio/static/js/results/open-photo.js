// Open a product's photo in a dialog, which is loaded when it is first needed.

import { loadModule } from "../core/lazy.js";

/** @param {import("../core/store.js").App} app @param {import("./cards.js").Product} product */
export async function openPhoto(app, product) {
  (await loadModule(app, () => import("./photo-dialog.js")))?.openPhoto(app, product);
}
