import assert from "node:assert/strict";
import { test } from "node:test";
import { clamp, dequantise, fromText, quantise, rangesOf, toText } from "#page/core/design-codec.js";

const ranges = [
  [-2, 2],
  [0, 1],
  [5, 5],
];

test("ranges are in latent order, in any order of the sliders", () => {
  const sliders = [
    { latent: 1, minimum: 0, maximum: 1 },
    { latent: 0, minimum: -2, maximum: 2 },
  ];
  assert.deepEqual(rangesOf(sliders), [
    [-2, 2],
    [0, 1],
  ]);
});

test("a code beyond its ranges is limited to them", () => {
  assert.deepEqual([...clamp([-9, 0.25, 7], ranges)], [-2, 0.25, 5]);
});

test("the ends of a range are the bytes 0 and 255, and an empty range is 0", () => {
  assert.deepEqual([...quantise([-2, 1, 5], ranges)], [0, 255, 0]);
  assert.deepEqual([...quantise([2, -7, 9], ranges)], [255, 0, 0]);
});

test("every byte survives a round trip through the code", () => {
  for (let byte = 0; byte < 256; byte++) {
    const bytes = Uint8Array.of(byte, byte, 0);
    assert.deepEqual([...quantise(dequantise(bytes, ranges), ranges)], [...bytes]);
  }
});

test("text is base64url without padding", () => {
  assert.equal(toText(Uint8Array.of(251, 255, 190, 1)), "-_--AQ");
});

test("every length survives a round trip through text", () => {
  for (let length = 1; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (37 * i + 11 * length) % 256);
    assert.deepEqual(fromText(toText(bytes), length), bytes);
  }
});

test("text of another length, or with other characters, is no design", () => {
  assert.equal(fromText("AAAA", 4), null);
  assert.equal(fromText("", 0), null);
  assert.equal(fromText("A", 1), null); // base64 has no such length
  assert.equal(fromText("AA=A", 3), null);
  assert.equal(fromText("AA+/", 3), null);
});
