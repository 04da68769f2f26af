import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

/** @type {{path: string, init: any}[]} */
let requests = [];
/** @type {string[]} */
let events = [];
let respond = () => new Response("{}");
globalThis.window = { dispatchEvent: (event) => events.push(event.type) };
globalThis.location = { href: "https://shop.example/" };
globalThis.fetch = async (path, init) => {
  requests.push({ path, init });
  return respond();
};
const json = (value, options) => new Response(JSON.stringify(value), options);
const version = (name) => ({ headers: { "Modiste-Shop-Version": name } });

// Each test has its own copy of the module, which remembers the version of the shop.
let copies = 0;
const load = () => import(`#page/core/api.js?${copies++}`);

beforeEach(() => {
  requests = [];
  events = [];
});

test("every request after the first asks for the shop version of the first response", async () => {
  const api = await load();
  respond = () => json({}, version("v1"));
  await api.fetchProduct("a");
  await api.fetchSimilar({ code: [1] });
  assert.equal(requests[0].init.headers, undefined);
  assert.equal(requests[1].init.headers["Modiste-Shop-Version"], "v1");
  assert.equal(requests[1].init.headers["Content-Type"], "application/json");
  assert.deepEqual(events, []);
});

test("a response of another shop version is reported, and the first version stays", async () => {
  const api = await load();
  respond = () => json({}, version("v1"));
  await api.fetchProduct("a");
  respond = () => json({}, version("v2"));
  await api.fetchProduct("a");
  await api.fetchProduct("a");
  assert.deepEqual(events, ["modiste:shop-changed", "modiste:shop-changed"]);
  assert.equal(requests[2].init.headers["Modiste-Shop-Version"], "v1");
});

test("a refusal has the code, and detail and remedy as its message", async () => {
  const api = await load();
  respond = () => json({ code: "unknown_render_id", detail: "Gone.", remedy: "Reload." }, { status: 409 });
  await assert.rejects(api.fetchProduct("a"), (error) => {
    assert.ok(error instanceof api.ApiError);
    assert.equal(error.message, "Gone. Reload.");
    assert.equal(error.isUnknownRenderId, true);
    assert.equal(error.isUnavailable, false);
    return true;
  });
  assert.deepEqual(events, []);
});

test("a refusal that is not JSON is its status text", async () => {
  const api = await load();
  respond = () => new Response("<html>", { status: 502, statusText: "Bad Gateway" });
  await assert.rejects(api.fetchProduct("a"), {
    message: "Bad Gateway",
    code: "unknown",
    isUnavailable: true,
  });
  assert.deepEqual(events, ["modiste:unavailable"]);
});

test("a server that cannot be reached is reported, a cancelled request is not", async () => {
  const api = await load();
  respond = () => {
    throw new TypeError("Failed to fetch");
  };
  await assert.rejects(api.fetchProduct("a"), { code: "unreachable", isUnavailable: true });
  assert.deepEqual(events, ["modiste:unavailable"]);
  respond = () => {
    throw new DOMException("cancelled", "AbortError");
  };
  await assert.rejects(api.fetchProduct("a"), { name: "AbortError" });
  assert.deepEqual(events, ["modiste:unavailable"]);
});

test("ids are escaped in paths", async () => {
  const api = await load();
  respond = () => json({});
  await api.fetchProduct("a/b?c#d");
  assert.equal(requests[0].path, "/v1/products/a%2Fb%3Fc%23d");
  assert.equal(api.thumbnailUrl("a/b", 120), "/v1/products/a%2Fb/thumbnail.webp?height=120");
});

test("the picture's URL holds the render id and the design", async () => {
  const { renderUrl } = await load();
  const url = new URL(renderUrl("model:1&x", "A-_"), location.href);
  assert.deepEqual([...url.searchParams.values()], ["model:1&x", "A-_"]);
});

test("an animation goes there and back, a strip does not", async () => {
  const api = await load();
  respond = () => new Response(new Blob(["x"]));
  await api.fetchInterpolation([0], [1], 7, "image/png");
  await api.fetchInterpolation([0], [1], 24, "image/webp");
  const bodies = requests.map(({ init }) => JSON.parse(init.body));
  assert.deepEqual(
    bodies.map((body) => body.there_and_back),
    [false, true],
  );
  assert.deepEqual(
    requests.map(({ init }) => init.headers.Accept),
    ["image/png", "image/webp"],
  );
});

test("readiness is the answer of the server, and false without one", async () => {
  const { isReady } = await load();
  respond = () => new Response("{}");
  assert.equal(await isReady(), true);
  respond = () => new Response("{}", { status: 503 });
  assert.equal(await isReady(), false);
  respond = () => {
    throw new TypeError("Failed to fetch");
  };
  assert.equal(await isReady(), false);
});
