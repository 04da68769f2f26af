import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { latestImage } from "#page/core/latest-image.js";

let loader;
globalThis.Image = class {
  constructor() {
    this.urls = [];
    loader = this;
  }
  set src(url) {
    this.urls.push(url);
  }
};

let shown;
let setUrl;
beforeEach(() => {
  const image = {
    set src(url) {
      shown.push(url);
    },
    getAttribute: () => shown.at(-1) ?? null,
  };
  shown = [];
  setUrl = latestImage(image);
});

test("one picture is loaded at a time, and only the newest of those that wait", () => {
  for (const url of ["1", "2", "3"]) setUrl(url);
  assert.deepEqual(loader.urls, ["1"]);
  loader.onload();
  assert.deepEqual(shown, ["1"]);
  assert.deepEqual(loader.urls, ["1", "3"]);
  loader.onload();
  assert.deepEqual(shown, ["1", "3"]);
});

test("a picture that fails is skipped, and the last one stays", () => {
  setUrl("1");
  loader.onload();
  setUrl("2");
  setUrl("3");
  loader.onerror();
  assert.deepEqual(shown, ["1"]);
  loader.onload();
  assert.deepEqual(shown, ["1", "3"]);
});

test("the picture that is shown is not loaded again", () => {
  setUrl("1");
  loader.onload();
  setUrl("1");
  assert.deepEqual(loader.urls, ["1"]);
});
