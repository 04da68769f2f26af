import assert from "node:assert/strict";
import { test } from "node:test";
import { toText } from "#page/core/design-codec.js";
import { linkTo, NO_DETAILS, readDesign } from "#page/core/design-link.js";

const design = toText(Uint8Array.of(0, 255));
const app = {
  ranges: [
    [-1, 1],
    [0, 4],
  ],
  sliders: { renderId: "model:1" },
  designToken: () => design,
};

test("a link opens the design that it was made from", () => {
  globalThis.location = { origin: "https://shop.example" };
  const link = linkTo(app);
  assert.ok(link.startsWith("https://shop.example/#"));
  const { code, isPresent } = readDesign(link.split("#")[1], app);
  assert.equal(isPresent, true);
  assert.deepEqual([...code], [-1, 4]);
});

test("a link says whose details the design has, if that is known", () => {
  const exemplarOf = (exemplar) => readDesign(linkTo({ ...app, exemplar }).split("#")[1], app).exemplar;
  assert.equal(exemplarOf({ id: "a & b" }), "a & b");
  assert.equal(exemplarOf(null), NO_DETAILS);
  assert.equal(exemplarOf(undefined), undefined);
});

test("a fragment without a design has none", () => {
  assert.deepEqual(readDesign("product=7", app), { isPresent: false });
});

test("a design of another model is recognised and not shown", () => {
  assert.deepEqual(readDesign(`z=${design}&m=model:2`, app), { isPresent: true, otherModel: true });
});

test("a damaged design is not shown", () => {
  assert.deepEqual(readDesign(`z=${design}`, app), { isPresent: true, otherModel: false });
  assert.deepEqual(readDesign("z=!&m=model:1", app), { isPresent: true });
  assert.deepEqual(readDesign(`z=${design}AAAA&m=model:1`, app), { isPresent: true });
});
