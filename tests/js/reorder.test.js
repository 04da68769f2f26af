import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

globalThis.matchMedia = () => ({ matches: false });
globalThis.document = { activeElement: null };
const { reorder } = await import("#page/core/reorder.js");

/** As much of an element as `reorder` uses. Its place on the page is its index in the list. */
class Item {
  constructor(name) {
    Object.assign(this, {
      name,
      list: null,
      animations: [],
      focused: 0,
      className: "card",
      classList: ["card"],
    });
  }
  get isConnected() {
    return this.list !== null;
  }
  getBoundingClientRect() {
    return { left: 100 * (this.list?.children.indexOf(this) ?? 0), top: 0 };
  }
  animate(frames) {
    this.animations.push(frames);
  }
  contains(node) {
    return node === this;
  }
  remove() {
    this.list.children = this.list.children.filter((child) => child !== this);
    this.list = null;
  }
  querySelector() {
    return this;
  }
  focus() {
    this.focused += 1;
  }
}

class List {
  constructor(items) {
    this.children = [];
    for (const item of items) this.insertBefore(item, null);
    this.inserted = [];
  }
  insertBefore(item, before) {
    if (item.list) item.list.children = item.list.children.filter((child) => child !== item);
    const index = before ? this.children.indexOf(before) : this.children.length;
    this.children.splice(index, 0, item);
    item.list = this;
    this.inserted?.push(item.name);
  }
  contains(node) {
    return this.children.includes(node);
  }
  get lastElementChild() {
    return this.children.at(-1);
  }
}

let [a, b, c, d] = [];
beforeEach(() => {
  [a, b, c, d] = ["a", "b", "c", "d"].map((name) => new Item(name));
  globalThis.document.activeElement = null;
});

test("items that are in their place are not touched", () => {
  const list = new List([a, b, c]);
  reorder(list, [a, b, c]);
  assert.deepEqual(list.inserted, []);
  assert.deepEqual(
    [a, b, c].map((item) => item.animations.length),
    [0, 0, 0],
  );
});

test("items are moved, added and removed, and moves are animated", () => {
  const list = new List([a, b, c]);
  reorder(list, [c, d]);
  assert.deepEqual(list.children, [c, d]);
  assert.equal(c.animations[0][0].transform, "translate(200px, 0px)");
  assert.deepEqual(d.animations[0], [{ opacity: 0 }, { opacity: 1 }], "a new item fades in");
  assert.equal(a.isConnected, false);
});

test("an item that moves keeps the focus", () => {
  const list = new List([a, b]);
  globalThis.document.activeElement = b;
  list.insertBefore = function (item, before) {
    List.prototype.insertBefore.call(this, item, before);
    globalThis.document.activeElement = null; // a browser takes the focus from an element that is moved
  };
  reorder(list, [b, a]);
  assert.equal(b.focused, 1);
});

test("the focus of a removed item goes to the one in its place", () => {
  const list = new List([a, b, c]);
  globalThis.document.activeElement = b;
  const remove = b.remove.bind(b);
  b.remove = () => {
    remove();
    globalThis.document.activeElement = null;
  };
  reorder(list, [a, c]);
  assert.equal(c.focused, 1);
  assert.equal(a.focused, 0);
});
