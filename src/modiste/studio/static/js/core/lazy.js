// Modules that are loaded when they are first needed.

import { words } from "./strings-results.js";
import { toast } from "./toast.js";

/**
 * Load a module. If it cannot be loaded, say so and return null.
 * @param {import("./store.js").App} app @param {() => Promise<any>} load
 */
export async function loadModule(app, load) {
  try {
    return await load();
  } catch {
    toast(app, words.notLoaded);
    return null;
  }
}
