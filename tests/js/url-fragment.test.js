import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { fromFragment, setFragment, urlWith } from "#page/core/url-fragment.js";

beforeEach(() => {
  globalThis.location = {
    hash: "#z=AA&m=model&name=a+b",
    origin: "https://shop.example",
    pathname: "/",
    search: "?theme=dark",
  };
});

test("a value is decoded, and a missing one is null", () => {
  assert.equal(fromFragment("name"), "a b");
  assert.equal(fromFragment("look"), null);
});

test("other keys stay when some change", () => {
  assert.equal(urlWith({ z: "BB", name: null }), "https://shop.example/?theme=dark#z=BB&m=model");
});

test("without keys there is no fragment", () => {
  assert.equal(urlWith({ z: null, m: null, name: null }), "https://shop.example/?theme=dark");
});

test("a change replaces the entry of the browser's history", () => {
  const calls = [];
  globalThis.history = { state: { some: 1 }, replaceState: (...args) => calls.push(args) };
  setFragment({ m: "other" });
  assert.deepEqual(calls, [[{ some: 1 }, "", "https://shop.example/?theme=dark#z=AA&m=other&name=a+b"]]);
});
