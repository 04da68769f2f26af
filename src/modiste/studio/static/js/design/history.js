// What the design was before: undo, redo, and a thumbnail of every step. Going back and on from there branches; nothing is lost.

import { byId, debounced, fill, h } from "../core/dom.js";
import { words } from "../core/strings.js";
import { thumb } from "../core/thumbnails.js";
import { begun } from "./frame.js";

const MOST = 50;
const RESTED = 100; // milliseconds
const ONE_GESTURE = 1000; // milliseconds: moves by the same hand within that are one entry

/** @typedef {import("../core/store.js").Moment & {z: string, n: number, parent: Entry | null, next: Entry | null, by?: string, when: number, item: HTMLElement}} Entry */

/** @param {HTMLElement} list an ol @param {import("../core/store.js").App} app */
export function mount(list, app) {
  /** @type {Entry[]} oldest first */
  let entries = [];
  /** @type {Entry} */
  let at;
  let counted = 0;

  /** @param {string} [by] */
  function add(by) {
    const z = app.z();
    if (at && at.z === z && at.origin === app.origin) return;
    const now = performance.now();
    if (at && by && at.by === by && now - at.when < ONE_GESTURE && !at.next) {
      Object.assign(at, { code: app.code, z, when: now });
      at.item.replaceChildren();
    } else {
      const entry = /** @type {Entry} */ ({ code: app.code, origin: app.origin, start: app.start, z, n: ++counted, parent: at ?? null, next: null, by, when: now, item: h("li") });
      if (at) at.next = entry;
      at = entry;
      entries.push(entry);
      if (entries.length > MOST) forget(entries[0] === at ? entries[1] : entries[0]);
    }
    shown();
  }

  /** @param {Entry} entry */
  function button(entry) {
    const label = words.historyEntry(entry.n, begun(entry.origin));
    return h("button", { type: "button", "aria-label": label, title: label, onclick: () => go(entry) }, thumb(app, { src: app.frameUrl(entry.code) }));
  }

  /** @param {Entry} gone */
  function forget(gone) {
    entries = entries.filter((each) => each !== gone);
    for (const each of entries) {
      if (each.parent === gone) each.parent = gone.parent;
      if (each.next === gone) each.next = gone.next;
    }
    gone.item.remove();
  }

  /** @param {Entry | null} entry */
  function go(entry) {
    if (!entry) return;
    at = entry;
    app.restore(entry);
    shown();
  }

  function shown() {
    byId("undo").disabled = !at.parent;
    byId("redo").disabled = !at.next;
    app.emit("history");
    drawn();
  }

  // The thumbnails wait for the hand to rest: they would cost the frame of a key that is held down.
  const draw = () => {
    for (const entry of entries) {
      if (!entry.item.firstElementChild) entry.item.append(button(entry));
      if (!entry.item.isConnected) list.append(entry.item);
      if (entry === at) entry.item.firstElementChild?.setAttribute("aria-current", "true");
      else entry.item.firstElementChild?.removeAttribute("aria-current");
    }
    // not scrollIntoView, which would scroll the page as well
    const { offsetLeft, offsetWidth } = at.item;
    if (offsetLeft < list.scrollLeft || offsetLeft + offsetWidth > list.scrollLeft + list.clientWidth) list.scrollLeft = offsetLeft - list.clientWidth / 2;
  };
  const drawn = debounced(draw, RESTED);

  const undo = () => {
    if (!at.parent) return;
    at.parent.next = at;
    go(at.parent);
  };
  const redo = () => go(at.next);
  app.on("commit", add);
  byId("undo").addEventListener("click", undo);
  byId("redo").addEventListener("click", redo);
  fill(list);
  add();
  draw();
  return { undo, redo };
}
