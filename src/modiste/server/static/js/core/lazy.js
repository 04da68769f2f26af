// Modules that are loaded when they are first needed.

import { strings } from "./strings-results.js";
import { toast } from "./toast.js";

/**
 * Load a module. If it cannot be loaded, say so and return null.
 * @template Module
 * @param {import("./store.js").App} app @param {() => Promise<Module>} load
 * @returns {Promise<Module | null>}
 */
export async function loadModule(app, load) {
  try {
    return await load();
  } catch {
    toast(app, strings.notLoaded);
    return null;
  }
}
