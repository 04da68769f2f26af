// The buttons "Surprise me", which starts from a random product, and "Reset".

import { fetchProducts } from "../core/api.js";
import { byId } from "../core/dom.js";
import { strings } from "../core/strings.js";
import { toast } from "../core/toast.js";
import { startFrom, toastErrors } from "./moves.js";

/** @param {import("../core/store.js").App} app */
export function mount(app) {
  byId("surprise").addEventListener("click", () =>
    toastErrors(app, async () => {
      const seed = String(Math.floor(Math.random() * 2 ** 31));
      const { results } = await fetchProducts({ size: "1", sort: "random", seed });
      if (results.length) await startFrom(app, results[0]);
    }),
  );
  byId("reset").addEventListener("click", () => {
    app.setCode(app.startCode);
    toast(app, strings.resetDone);
  });
}
