import assert from "node:assert/strict";
import { test } from "node:test";
import { dotProduct, moveAlong } from "#page/design/attribute-sliders.js";
import { describePosition, fromNumber, STEPS, toNumber } from "#page/design/slider.js";
import { positionOf, valueAt } from "#page/design/sliders.js";

test("the ends and the middle of a slider are −100, 0 and 100", () => {
  assert.deepEqual([0, STEPS / 2, STEPS].map(toNumber), [-100, 0, 100]);
  assert.deepEqual([-100, 0, 100].map(fromNumber), [0, STEPS / 2, STEPS]);
  assert.deepEqual([-999, 999].map(fromNumber), [0, STEPS]);
});

test("every number survives a round trip", () => {
  for (let number = -100; number <= 100; number++) assert.equal(toNumber(fromNumber(number)), number);
});

test("a position is described by its nearer end", () => {
  assert.equal(describePosition(0, "darker", "lighter"), "100 towards darker");
  assert.equal(describePosition(STEPS / 2, "darker", "lighter"), "in the middle");
  assert.equal(describePosition(STEPS, "darker", "lighter"), "100 towards lighter");
});

test("a latent's position follows its range; an empty range is the middle", () => {
  const app = {
    ranges: [
      [-1, 3],
      [2, 2],
    ],
    code: Float32Array.of(0, 2),
  };
  assert.equal(positionOf(app, 0), STEPS / 4);
  assert.equal(positionOf(app, 1), STEPS / 2);
  assert.equal(valueAt(app, 0, STEPS), 3);
  assert.equal(valueAt(app, 0, positionOf(app, 0)), 0);
});

test("a move along a direction changes the product with it by the distance", () => {
  const direction = [0.6, 0.8, 0];
  const code = [1, 2, 3];
  for (const locks of [new Set(), new Set([0]), new Set([2])]) {
    const moved = moveAlong(code, direction, 0.5, locks);
    assert.ok(Math.abs(dotProduct(moved, direction) - dotProduct(code, direction) - 0.5) < 1e-6);
    for (const latent of locks) assert.equal(moved[latent], code[latent]);
  }
});

test("if all latents of a direction are locked, nothing moves", () => {
  assert.deepEqual([...moveAlong([1, 2], [1, 0], 5, new Set([0]))], [1, 2]);
});
