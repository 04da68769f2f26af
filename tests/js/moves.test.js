import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ApiError } from "#page/core/api.js";
import { App } from "#page/core/store.js";
import { strings } from "#page/core/strings-results.js";
import { cachedProduct, moveTowards, pinProduct, startFrom, toastErrors } from "#page/design/moves.js";

const box = { classList: { add() {}, remove() {} }, setAttribute() {} };
globalThis.window = globalThis;
globalThis.document = {
  createElement: () => ({ ...box, style: {} }),
  body: { appendChild: (element) => element },
};
let requests;
let respond;
globalThis.fetch = async (path) => {
  requests.push(path);
  return respond();
};

let app;
let said;
beforeEach(() => {
  requests = [];
  respond = () => Response.json({ id: "b", title: "Boot", code: [1, 0] });
  const latents = [0, 1].map((latent) => ({ latent, minimum: 0, maximum: 1 }));
  app = new App({}, { renderId: "r", latents, first: { id: "a", title: "A", code: [0, 0.5] } });
  said = [];
  app.announce = (text) => said.push(text);
});
const product = (id) => ({ id, title: "Boot", photo: `/${id}.jpg` });

test("a product is requested once, and again after a failure", async () => {
  respond = () => Response.json({ detail: "busy" }, { status: 429 });
  await assert.rejects(cachedProduct("once"), ApiError);
  respond = () => Response.json({ code: [0, 0] });
  assert.equal(await cachedProduct("once"), await cachedProduct("once"));
  assert.equal(requests.length, 2);
});

test("the design starts from a product, and its origin says so", async () => {
  await startFrom(app, product("start"));
  assert.deepEqual([...app.code], [1, 0]);
  assert.deepEqual(app.origin, { kind: "product", id: "start", title: "Boot" });
  assert.deepEqual(said, [strings.started("Boot")]);
});

test("more like a product moves a share of the way, less like it as far away", async () => {
  await moveTowards(app, product("more"), 0.5);
  assert.deepEqual([...app.code], [0.5, 0.25]);
  await moveTowards(app, product("more"), -0.5);
  assert.deepEqual([...app.code], [0.25, 0.375]);
  assert.deepEqual(said, [strings.movedTowards("Boot"), strings.movedAway("Boot")]);
});

test("locked latents stay, and a move that changes nothing says so", async () => {
  app.toggleLock(0);
  await moveTowards(app, product("locked"), 0.5);
  assert.deepEqual([...app.code], [0, 0.25]);
  app.toggleLock(1);
  await moveTowards(app, product("locked"), 0.5);
  assert.deepEqual([...app.code], [0, 0.25]);
  assert.equal(said.at(-1), strings.cannotMove);
});

test("a product is pinned with its code within the ranges", async () => {
  respond = () => Response.json({ code: [9, -9] });
  await pinProduct(app, "b", product("pin"));
  assert.deepEqual([...app.pins.b.code], [1, 0]);
  assert.equal(app.pins.a, null);
});

test("a refusal is shown, any other error is thrown", async () => {
  await toastErrors(app, async () => {
    throw new ApiError(429, { detail: "Too many requests." });
  });
  assert.deepEqual(said, ["Too many requests."]);
  const broken = toastErrors(app, async () => {
    throw new TypeError("a mistake");
  });
  await assert.rejects(broken, TypeError);
});
