import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { MapCanvas } from "#page/map/canvas.js";

const fakeCanvas = () => ({ width: 0, height: 0, getContext: () => ({}) });
globalThis.document = { createElement: fakeCanvas };
globalThis.devicePixelRatio = 3;
let frames;
globalThis.requestAnimationFrame = (action) => frames.push(action);

function close(actual, expected) {
  for (const [i, x] of actual.entries()) assert.ok(Math.abs(x - expected[i]) < 1e-9);
}

let map;
beforeEach(() => {
  frames = [];
  map = new MapCanvas(fakeCanvas(), { colourings: [{}] }, () => "");
  map.resize(400, 300);
});

test("at first the whole map is in view, in the middle", () => {
  assert.deepEqual(map.toScreen(0.5, 0.5), [200, 150]);
  const [left, top, right, bottom] = map.box();
  assert.ok(left <= 0 && top <= 0 && right >= 1 && bottom >= 1);
});

test("the canvas has at most two pixels for each CSS pixel", () => {
  assert.deepEqual([map.canvas.width, map.canvas.height], [800, 600]);
});

test("screen and map positions are inverse to each other", () => {
  map.moveTo(0.3, 0.7, 5);
  close(map.toWorld(...map.toScreen(0.42, 0.61)), [0.42, 0.61]);
});

test("a zoom keeps the point below the pointer in its place", () => {
  map.moveTo(0.4, 0.6, 3);
  const point = map.toWorld(120, 200);
  map.zoomBy(1.6, 120, 200);
  close(map.toScreen(...point), [120, 200]);
  assert.ok(Math.abs(map.view.zoom - 4.8) < 1e-9);
});

test("the zoom has limits, and the middle stays on the map", () => {
  map.zoomBy(1e6);
  assert.equal(map.view.zoom, 80);
  map.moveTo(-3, 9);
  assert.deepEqual([map.view.x, map.view.y], [0, 1]);
  map.zoomBy(1e-6);
  assert.deepEqual(map.view, { x: 0.5, y: 0.5, zoom: 1 });
});

test("many changes are drawn with one frame", () => {
  for (let i = 0; i < 5; i++) map.moveTo(i / 5, 0.5);
  assert.equal(frames.length, 1);
});
