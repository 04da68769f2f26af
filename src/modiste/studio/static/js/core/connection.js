// Whether the server is there: when something is not answered, ask, say so, keep asking, and go on when it is back.

import { get } from "./api.js";
import { fill, h } from "./dom.js";
import { words } from "./strings.js";

const FIRST = 1000; // milliseconds until the second question; doubled each time
const LONGEST = 8000;

/** @param {HTMLElement} banner @param {import("./store.js").App} app */
export function mount(banner, app) {
  let wait = FIRST;
  let timer = 0;
  let asking = false;

  async function ask() {
    if (asking) return;
    asking = true;
    clearTimeout(timer);
    const there = await fetch("/readyz", { cache: "no-store" }).then((answer) => answer.ok, () => false);
    asking = false;
    if (there) return back();
    if (app.online) {
      app.online = false;
      say(words.gone, words.retryNow, ask);
      app.emit("online");
    }
    timer = setTimeout(again, wait);
  }

  /** Only waiting makes the next wait longer: a hand that moves on asks as well, and must not put the server's return off. */
  function again() {
    wait = Math.min(2 * wait, LONGEST);
    ask();
  }

  async function back() {
    wait = FIRST;
    const wasGone = !app.online;
    app.online = true;
    if (wasGone) {
      banner.hidden = true;
      app.announce(words.back);
      const frames = await get("/v1/sliders").then((sliders) => sliders.frames, () => app.sliders.frames);
      if (frames !== app.sliders.frames) return changed();
    }
    app.emit("online");
  }

  function changed() {
    say(words.changed, words.reload, () => {
      history.replaceState(null, "", location.pathname + location.search);
      location.reload();
    });
  }

  /** @param {string} text @param {string} word @param {() => void} action */
  function say(text, word, action) {
    fill(banner, h("p", {}, text), h("button.plain", { type: "button", onclick: action }, word));
    banner.hidden = false;
  }

  app.on("suspect", ask);
  app.on("broken", () => say(words.broken, words.reload, () => location.reload()));
  app.on("changed", changed);
  window.addEventListener("modiste:gone", ask);
  window.addEventListener("modiste:changed", changed);
  window.addEventListener("offline", ask);
  window.addEventListener("online", ask);
}
