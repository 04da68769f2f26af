import assert from "node:assert/strict";
import { test } from "node:test";
import { fitLine, fitTwoLines, layOut } from "#page/results/look-picture.js";
import {
  createLook,
  fileName,
  formatProductIds,
  parseLooks,
  parseProductIds,
  readLooks,
  writeLooks,
} from "#page/results/saved-looks.js";

const app = { designToken: () => "AA", sliders: { renderId: "r" }, exemplar: { id: "7" } };

test("product ids with any characters survive a link", () => {
  const ids = ["a,b", "50%", "ä/ö?", "plain"];
  assert.deepEqual(parseProductIds(formatProductIds(ids)), ids);
  assert.deepEqual(parseProductIds("50%,b"), ["50%", "b"], "ids that are not escaped are kept");
});

test("a look keeps whose details its design has", () => {
  assert.deepEqual(createLook("Sunday", app, []), { name: "Sunday", z: "AA", m: "r", e: "7", products: [] });
  assert.equal(createLook("Plain", { ...app, exemplar: null }, []).e, "");
  assert.ok(!("e" in createLook("Any", { ...app, exemplar: undefined }, [])));
});

test("stored entries that are no looks are left out", () => {
  const look = createLook("Sunday", app, ["1"]);
  assert.deepEqual(parseLooks(JSON.stringify([look, null, { name: 3 }, { name: "x", z: "A" }])), [look]);
  assert.deepEqual(parseLooks('{"name": "x"}'), []);
  assert.deepEqual(parseLooks(null), []);
});

test("at most 50 looks are stored; blocked or damaged storage has none", () => {
  const stored = new Map();
  globalThis.localStorage = {
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, value) => stored.set(key, value),
  };
  const looks = Array.from({ length: 60 }, (_, i) => createLook(String(i), app, []));
  assert.equal(writeLooks(looks), true);
  assert.deepEqual(
    readLooks().map(({ name }) => name),
    looks.slice(0, 50).map(({ name }) => name),
  );
  for (const key of stored.keys()) stored.set(key, "{");
  assert.deepEqual(readLooks(), []);
  globalThis.localStorage = {
    setItem() {
      throw new Error("blocked");
    },
  };
  assert.equal(writeLooks(looks), false);
  assert.deepEqual(readLooks(), []);
});

test("a file name has no character that file systems reject", () => {
  assert.equal(fileName('My: "look"\n'), "My look");
  assert.equal(fileName("///"), "look");
});

test("tiles are inside the picture and do not overlap", () => {
  for (const count of [1, 2, 3, 6, 9]) {
    const { width, height, tiles } = layOut(count);
    assert.equal(tiles.length, count);
    for (const [i, tile] of tiles.entries()) {
      assert.ok(tile.x >= 0 && tile.x + tile.width <= width);
      assert.ok(tile.y >= 0 && tile.y + tile.height <= height);
      for (const other of tiles.slice(i + 1)) {
        const apart =
          tile.x + tile.width <= other.x ||
          other.x + other.width <= tile.x ||
          tile.y + tile.height <= other.y ||
          other.y + other.height <= tile.y;
        assert.ok(apart, `tiles ${i} of ${count}`);
      }
    }
  }
});

const measure = (text) => 10 * text.length;

test("a line is shortened to its width", () => {
  assert.equal(fitLine("Sunday", 60, measure), "Sunday");
  assert.equal(fitLine("Sunday", 50, measure), "Sund…");
});

test("a title takes two lines at most, broken between words", () => {
  assert.deepEqual(fitTwoLines("red bag", 100, measure), ["red bag"]);
  assert.deepEqual(fitTwoLines("red leather bag", 110, measure), ["red leather", "bag"]);
  assert.deepEqual(fitTwoLines("red leather bag with a strap", 110, measure), ["red leather", "bag with a…"]);
  assert.deepEqual(fitTwoLines("extraordinary", 80, measure), ["extraor…"]);
});
