import assert from "node:assert/strict";
import { test } from "node:test";
import { colourOf, MapLayout } from "#page/map/layout.js";

/** Five products: four at the corners, one in the middle. */
const create = () =>
  new MapLayout({
    ids: ["nw", "ne", "sw", "se", "mid"],
    x: [0, 1, 0, 1, 0.5],
    y: [0, 0, 1, 1, 0.5],
    categories: ["bags", "shoes"],
    category: [0, 0, 1, 1, 1],
    attributes: { base_colour: { values: ["Red", "Blue"], colours: ["#f00", "#00f"], of: [0, 1, 0, -1, 1] } },
  });

test("the nearest product is found within a radius", () => {
  const layout = create();
  assert.equal(layout.nearest(0.9, 0.1), 1);
  assert.equal(layout.nearest(0.9, 0.1, 0.1), -1);
  assert.equal(layout.nearest(0.9, 0.1, 0.2), 1);
});

test("the next product lies in the direction of the arrow", () => {
  const layout = create();
  assert.equal(layout.nextTowards(0, 1, 0, 0.01), 1, "the corner is straight ahead, the middle is aside");
  assert.equal(layout.nextTowards(0, -1, 0, 0.01), -1);
  assert.equal(layout.nextTowards(4, 0, 1, 0.01), 2);
  assert.equal(layout.nextTowards(2, 0, -1, 1.5), -1, "the corner is nearer than the least distance");
});

test("products in a rectangle come nearest to its centre first", () => {
  const layout = create();
  assert.deepEqual(layout.within([0, 0, 1, 1])[0], 4);
  assert.deepEqual(layout.within([0.4, -0.1, 1.1, 0.6]).sort(), [1, 4]);
  assert.deepEqual(layout.within([2, 2, 3, 3]), []);
});

test("filters exclude products everywhere, and say whether all were applied", () => {
  const layout = create();
  assert.equal(layout.filter({ category: ["shoes"] }), true);
  assert.deepEqual([...layout.passes], [0, 0, 1, 1, 1]);
  assert.equal(layout.nearest(0, 0), 4);
  assert.equal(layout.filter({ base_colour: ["Blue"], price: { min: 3 } }), false);
  assert.deepEqual([...layout.passes], [0, 1, 0, 0, 1], "an unknown colour passes no filter by colour");
  assert.equal(layout.filter({}), true);
  assert.equal(layout.within([0, 0, 1, 1]).length, 5);
});

test("a sample has one product for each cell, and follows the filters", () => {
  const layout = create();
  assert.deepEqual(layout.sample(0).includes(4), true);
  const sample = layout.sample(1);
  assert.equal(layout.sample(1), sample, "the same at every view");
  layout.filter({ category: ["bags"] });
  assert.deepEqual([...layout.sample(3)].sort(), [0, 1]);
});

test("a label is at the median of its products", () => {
  const layout = create();
  const [bags, shoes] = layout.centres(layout.colourings[0]);
  assert.deepEqual(bags, { value: "bags", x: 1, y: 0, count: 2 });
  assert.deepEqual(shoes, { value: "shoes", x: 0.5, y: 1, count: 3 });
});

test("a value has its own colour, or one of a set that differs", () => {
  const [category, colour] = create().colourings;
  assert.equal(colourOf(colour, 0, false), "#f00");
  const generated = Array.from({ length: 30 }, (_, i) => colourOf({ ...category, colours: [] }, i, true));
  assert.equal(new Set(generated).size, 30);
});
