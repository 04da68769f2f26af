import assert from "node:assert/strict";
import { test } from "node:test";
import { counted, fileSize, readable, shorten, strings } from "#page/core/strings.js";
import * as results from "#page/core/strings-results.js";

test("counts have a thousands separator and a plural", () => {
  assert.equal(counted(1, "product"), "1 product");
  assert.equal(counted(11226, "product"), "11,226 products");
  assert.equal(counted(0, "match", "matches"), "0 matches");
});

test("file sizes are in kB or MB, and never 0", () => {
  assert.equal(fileSize(1), "1 kB");
  assert.equal(fileSize(999_000), "999 kB");
  assert.equal(fileSize(1_500_000), "1.5 MB");
  assert.equal(fileSize(10_000_000), "10 MB");
});

test("a long text is shortened to a length", () => {
  assert.equal(shorten("short", 5), "short");
  assert.equal(shorten("longer text", 8), "longer…");
  assert.equal(shorten("x".repeat(500)).length, 120);
});

test("the ends of a measurement are words, those of a value are less and more of it", () => {
  assert.equal(readable("base_colour"), "base colour");
  assert.deepEqual(strings.ends("lightness", null), ["darker", "lighter"]);
  assert.deepEqual(strings.ends("heel_height", null), ["less heel height", "more heel height"]);
  assert.deepEqual(strings.ends("base_colour", "Navy_Blue"), ["less Navy Blue", "more Navy Blue"]);
});

test("idle sliders are counted", () => {
  assert.equal(strings.moreSliders(1, 0), "1 more slider");
  assert.equal(strings.moreSliders(10, 3), "10 more sliders, 3 of them with almost no effect");
  assert.equal(strings.moreSliders(2, 2), "2 sliders that have almost no effect");
});

test("a range says which of its ends are set", () => {
  const { range } = results.strings;
  assert.equal(range("price", 5, 20), "price 5 to 20");
  assert.equal(range("price", undefined, 20), "price up to 20");
  assert.equal(range("price", 0, undefined), "price from 0");
});

test("the list below the map says how many products are in view", () => {
  const { inView } = results.strings;
  assert.equal(inView(0, 0), "No product in view");
  assert.equal(inView(3, 3), "3 products in view");
  assert.equal(inView(12, 90), "90 products in view; the 12 nearest to the middle");
});

test("no text of the page is empty", () => {
  const texts = (/** @type {any} */ value) =>
    typeof value === "object" ? Object.values(value).flatMap(texts) : [value];
  const all = [strings, results.strings, results.METHODS, results.SCOPES, results.METRICS].flatMap(texts);
  assert.ok(all.length > 200);
  for (const text of all) assert.ok(typeof text === "function" || text.trim().length > 0);
});
