// The history of the design: undo, redo, and a thumbnail of every step.

import { byId, debounced, fill, h } from "../core/dom.js";
import { strings } from "../core/strings.js";
import { createThumbnail } from "../core/thumbnails.js";
import { originText } from "./frame.js";
import { HistoryTree } from "./history-tree.js";

const DRAW_DELAY_MS = 100;

/** @typedef {import("./history-tree.js").Entry} Entry */

/** @param {HTMLElement} list an ol @param {import("../core/store.js").App} app */
export function mount(list, app) {
  const undoButton = byId("undo", HTMLButtonElement);
  const redoButton = byId("redo", HTMLButtonElement);
  const tree = new HistoryTree();
  /** @type {Map<Entry, HTMLElement>} */
  const items = new Map();

  /** @param {string} [by] */
  function add(by) {
    const { code, origin, startCode, exemplar } = app;
    const snapshot = { code, origin, startCode, exemplar, setLatents: [...app.setLatents] };
    const changed = tree.add(snapshot, app.designToken(), performance.now(), by);
    if (!changed) return;
    items.get(changed)?.replaceChildren(); // a continued move: its thumbnail is drawn again
    for (const [entry, item] of items) {
      if (tree.entries.includes(entry)) continue;
      item.remove();
      items.delete(entry);
    }
    update();
  }

  /** @param {Entry} entry */
  function createButton(entry) {
    const label = strings.historyEntry(entry.number, originText(entry.snapshot.origin));
    return h(
      "button",
      { type: "button", "aria-label": label, title: label, onclick: () => restore(tree.goTo(entry)) },
      createThumbnail(app, { src: app.renderUrl(entry.snapshot.code, entry.snapshot.exemplar) }),
    );
  }

  /** @param {Entry | null} entry */
  function restore(entry) {
    if (!entry) return;
    app.restore(entry.snapshot);
    update();
  }

  function update() {
    undoButton.disabled = !tree.current?.parent;
    redoButton.disabled = !tree.current?.next;
    drawLater();
  }

  function draw() {
    for (const entry of tree.entries) {
      const item = items.get(entry) ?? h("li");
      items.set(entry, item);
      if (!item.firstElementChild) item.append(createButton(entry));
      if (!item.isConnected) list.append(item);
      if (entry === tree.current) item.firstElementChild?.setAttribute("aria-current", "true");
      else item.firstElementChild?.removeAttribute("aria-current");
    }
    const currentItem = tree.current && items.get(tree.current);
    if (!currentItem) return;
    // not scrollIntoView, which would scroll the page as well
    const { offsetLeft, offsetWidth } = currentItem;
    const isVisible =
      offsetLeft >= list.scrollLeft && offsetLeft + offsetWidth <= list.scrollLeft + list.clientWidth;
    if (!isVisible) list.scrollLeft = offsetLeft - list.clientWidth / 2;
  }
  // Later, because drawing thumbnails would slow down a key that is held.
  const drawLater = debounced(draw, DRAW_DELAY_MS);

  const undo = () => restore(tree.undo());
  const redo = () => restore(tree.redo());
  app.on("commit", add);
  undoButton.addEventListener("click", undo);
  redoButton.addEventListener("click", redo);
  fill(list);
  add();
  draw();
  return { undo, redo };
}
