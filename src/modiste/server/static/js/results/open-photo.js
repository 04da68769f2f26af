// Opens the photo dialog, which is loaded when it is first needed.

import { loadModule } from "../core/lazy.js";

/** @param {import("../core/store.js").App} app @param {import("../core/api.js").Product} product */
export async function openPhoto(app, product) {
  const dialog = await loadModule(app, () => import("./photo-dialog.js"));
  dialog?.showPhoto(app, product);
}
