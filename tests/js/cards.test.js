import assert from "node:assert/strict";
import { test } from "node:test";
import { summaryOf } from "#page/results/cards.js";

globalThis.matchMedia = () => ({ matches: false });
const { compareRanks } = await import("#page/results/compare.js");
const { productCount } = await import("#page/results/limits.js");

const facets = [
  { kind: "words", name: "category" },
  { kind: "words", name: "material" },
  { kind: "words", name: "pattern" },
  { kind: "words", name: "season" },
  { kind: "number", name: "price" },
];
const app = { shop: { facets } };
const product = (title, attributes) => ({ title, category: "bags", attributes });

test("a card says two attributes that its title does not say", () => {
  const attributes = { material: "Leather", pattern: "striped", season: "winter", price: 5 };
  assert.equal(summaryOf(app, product("Red leather bag", attributes)), "striped · winter");
  assert.equal(summaryOf(app, product("Red bag", attributes)), "Leather · striped");
});

test("without such attributes it says the category", () => {
  assert.equal(summaryOf(app, product("Red leather bag", { material: "Leather", pattern: null })), "bags");
});

test("ranks in two lists are compared", () => {
  assert.equal(compareRanks(2, -1).text, "only here");
  assert.deepEqual(compareRanks(2, 2), { sign: "=", text: "in both, same place" });
  assert.deepEqual(compareRanks(0, 3), { sign: "↑3", text: "in both, 3 places higher here" });
  assert.deepEqual(compareRanks(4, 3), { sign: "↓1", text: "in both, 1 place lower here" });
});

test("a list has as many products as the shop, at most 12", () => {
  assert.deepEqual(
    [0, 5, 500].map((products) => productCount({ shop: { products } })),
    [1, 5, 12],
  );
});
