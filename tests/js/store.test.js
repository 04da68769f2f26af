import assert from "node:assert/strict";
import { test } from "node:test";
import { App } from "#page/core/store.js";

const latents = [0, 1].map((latent) => ({ latent, minimum: -1, maximum: 1 }));
const create = () => {
  const app = new App({}, { renderId: "r", latents, first: { id: "p", title: "P", code: [0.5, 3] } });
  app.events = [];
  for (const event of ["code", "commit", "origin", "options", "locks", "focus"]) {
    app.on(event, (detail) => app.events.push(detail === undefined ? event : [event, detail]));
  }
  return app;
};
globalThis.window = globalThis;

test("the first design is the first product, within the ranges", () => {
  const app = create();
  assert.deepEqual([...app.code], [0.5, 1]);
  assert.deepEqual(app.origin, { kind: "product", id: "p", title: "P" });
});

test("a move is committed, a drag is not", () => {
  const app = create();
  app.setCode([0, 0], { commit: false });
  assert.deepEqual(app.events, ["code"]);
  app.setCode([0, 0.5], { by: "latent 1" });
  assert.deepEqual(app.events.slice(1), ["code", ["commit", "latent 1"]]);
});

test("a new origin keeps the locked latents and is what a reset restores", () => {
  const app = create();
  app.toggleLock(0);
  app.setCode([-1, -1], { origin: { kind: "photo" } });
  assert.deepEqual([...app.code], [0.5, -1]);
  assert.equal(app.startCode, app.code);
  app.toggleLock(0);
  assert.deepEqual([...app.withLocks([0, 0])], [0, 0]);
});

test("a locked latent moves with its own slider", () => {
  const app = create();
  app.toggleLock(0);
  app.setCode([0.25, 1]);
  assert.equal(app.code[0], 0.25);
});

test("a snapshot is restored without a commit", () => {
  const app = create();
  const { code, origin, startCode } = app;
  app.setCode([0, 0], { origin: { kind: "link" } });
  app.events = [];
  app.restore({ code, origin, startCode });
  assert.deepEqual([...app.code], [...code]);
  assert.deepEqual(app.events, ["origin", "code"]);
});

test("the design settles once, after the last of several moves", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const app = create();
  let settled = 0;
  app.on("settled", () => {
    settled += 1;
  });
  app.setCode([0, 0]);
  t.mock.timers.tick(100);
  app.setCode([0, 0.5]);
  t.mock.timers.tick(149);
  assert.equal(settled, 0);
  t.mock.timers.tick(1);
  assert.equal(settled, 1);
});

test("options are merged, and an unchanged focus is no event", () => {
  const app = create();
  app.setOptions({ scope: "catalogue" });
  assert.equal(app.options.method, "likelihood");
  assert.equal(app.options.scope, "catalogue");
  app.setFocus(1);
  app.setFocus(1);
  assert.deepEqual(app.events, ["options", "focus"]);
});

test("the rounded code is the code of the picture's URL", () => {
  const app = create();
  app.setCode([0.123456, -0.98765]);
  assert.equal(app.designToken(Float32Array.from(app.roundedCode())), app.designToken());
  assert.ok(app.renderUrl(app.code, null).endsWith(app.designToken()));
});

test("free latents follow a move of a slider; set and locked ones do not", () => {
  const app = create();
  const calls = [];
  app.follow = (code, fixed) => {
    calls.push(fixed);
    return Float32Array.from(code, (x, i) => (fixed.includes(i) ? x : 0.5));
  };
  app.setCode([0, 0], { origin: { kind: "link" } });
  app.setLatent(0, -1);
  assert.deepEqual([...app.code], [-1, 0.5]);
  app.toggleLock(1);
  app.setLatent(0, 1);
  assert.deepEqual(calls.at(-1).toSorted(), [0, 1]);
  assert.deepEqual([...app.code], [1, 0.5]);
  app.setCode([0, 0], { origin: { kind: "link" } });
  assert.equal(app.setLatents.size, 0, "a new start sets nothing");
});

test("a picture's URL names the exemplar and its photo", () => {
  const app = create();
  app.setCode(app.code, { exemplar: { id: "7", title: "Seven", photoHash: "abc" } });
  const url = new URL(app.renderUrl(), "https://shop.example");
  assert.equal(url.searchParams.get("exemplar"), "7");
  assert.equal(url.searchParams.get("photo_hash"), "abc");
  app.setCode(app.code, { exemplar: null });
  assert.ok(!app.renderUrl().includes("exemplar"));
});
