// The connection to the server: when a request fails, check the server, say so in the banner, and retry until it is back.

import { fetchSliders, isReady } from "./api.js";
import { fill, h } from "./dom.js";
import { strings } from "./strings.js";

const FIRST_RETRY_MS = 1000; // doubled after each check
const MAX_RETRY_MS = 8000;

/** @param {HTMLElement} banner @param {import("./store.js").App} app */
export function mount(banner, app) {
  let retryMs = FIRST_RETRY_MS;
  let timer = 0;
  let isChecking = false;

  async function check() {
    if (isChecking) return;
    isChecking = true;
    clearTimeout(timer);
    const ready = await isReady();
    isChecking = false;
    if (ready) return reconnected();
    if (app.online) {
      app.online = false;
      showBanner(strings.unavailable, strings.retryNow, check);
      app.emit("online");
    }
    timer = window.setTimeout(checkAgain, retryMs);
  }

  /** Only the timer makes the next wait longer: moving a slider checks as well, and must not delay the reconnection. */
  function checkAgain() {
    retryMs = Math.min(2 * retryMs, MAX_RETRY_MS);
    check();
  }

  async function reconnected() {
    retryMs = FIRST_RETRY_MS;
    const wasOffline = !app.online;
    app.online = true;
    if (wasOffline) {
      banner.hidden = true;
      app.announce(strings.reconnected);
      const { renderId } = await fetchSliders().catch(() => app.sliders);
      if (renderId !== app.sliders.renderId) return showModelChanged();
    }
    app.emit("online");
  }

  function showModelChanged() {
    showBanner(strings.modelChanged, strings.reload, () => {
      history.replaceState(null, "", location.pathname + location.search);
      location.reload();
    });
  }

  /** @param {string} text @param {string} label of the button @param {() => void} action */
  function showBanner(text, label, action) {
    fill(banner, h("p", {}, text), h("button.plain", { type: "button", onclick: action }, label));
    banner.hidden = false;
  }

  app.on("request-failed", check);
  app.on("load-failed", () => showBanner(strings.loadFailed, strings.reload, () => location.reload()));
  app.on("model-changed", showModelChanged);
  window.addEventListener("modiste:unavailable", check);
  window.addEventListener("modiste:shop-changed", showModelChanged);
  window.addEventListener("offline", check);
  window.addEventListener("online", check);
}
