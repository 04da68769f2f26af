// Surprise and reset: the two tools under the product that need no room of their own.

import { get } from "../core/api.js";
import { byId } from "../core/dom.js";
import { words } from "../core/strings.js";
import { toast } from "../core/toast.js";
import { startFrom, trying } from "./moves.js";

/** @param {import("../core/store.js").App} app */
export function mount(app) {
  byId("surprise").addEventListener("click", () =>
    trying(app, async () => {
      const seed = Math.floor(Math.random() * 2 ** 31);
      const { results } = await get(`/v1/products?size=1&sort=random&seed=${seed}`);
      if (results.length) await startFrom(app, results[0]);
    }),
  );
  byId("reset").addEventListener("click", () => {
    app.setCode(app.start);
    toast(app, words.resetDone);
  });
}
