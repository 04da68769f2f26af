// The API, explained from the server's own openapi.json: every operation, what it takes, what it answers, and a command to try.

import { get } from "./core/api.js";
import { quantise, rangesOf, toText } from "./core/design-codec.js";
import { byId, fill, h } from "./core/dom.js";

/** @type {any} */
let api;
/** Values that work on this very shop. @type {Record<string, any>} */
const real = {};

const METHODS = ["get", "post", "put", "patch", "delete"];

async function start() {
  try {
    api = await get("/openapi.json");
  } catch (error) {
    fill(byId("operations"), h("p", { role: "alert" }, /** @type {Error} */ (error).message));
    return;
  }
  await lookAround().catch(() => {}); // the examples are then made up
  byId("title").textContent = `${api.info.title}, version ${api.info.version}`;
  fill(byId("about"), ...ticked(api.info.description ?? ""));
  /** @type {Map<string, {method: string, path: string, operation: any}[]>} */
  const groups = new Map();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const method of METHODS) {
      const operation = methods[method];
      if (!operation) continue;
      const group = operation.tags?.[0] ?? "more";
      groups.set(group, [...(groups.get(group) ?? []), { method, path, operation }]);
    }
  }
  fill(byId("contents"), ...[...groups].map(([name, entries]) => h("section", {}, h("h2", {}, name), h("ul", {}, ...entries.map(({ method, path, operation }) => h("li", {}, h("a", { href: `#${operation.operationId}` }, h("span.method", {}, method.toUpperCase()), " ", path)))))));
  fill(byId("operations"), ...[...groups].flatMap(([name, entries]) => [h("h2.group", {}, name), ...entries.map(shown)]));
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

/** A design and a product of this shop, for the examples. */
async function lookAround() {
  const [sliders, { results }] = await Promise.all([get("/v1/sliders"), get("/v1/products?size=1")]);
  const code = sliders.average.map((/** @type {number} */ x) => +x.toFixed(4));
  Object.assign(real, { m: sliders.frames, z: toText(quantise(sliders.average, rangesOf(sliders.latents))), code, a: code, b: code.map((/** @type {number} */ x) => +(x + 0.5).toFixed(4)), id: results[0]?.id });
}

/** @param {{method: string, path: string, operation: any}} entry */
function shown({ method, path, operation }) {
  const body = operation.requestBody?.content;
  const command = curl(method, path, operation);
  const copy = h("button", { type: "button", async onclick() {
    const done = await navigator.clipboard?.writeText(command).then(() => true, () => false);
    copy.textContent = done ? "Copied" : "Select it, then Ctrl+C";
  } }, "Copy");
  return h(
    `article#${operation.operationId}`,
    { "aria-labelledby": `${operation.operationId}-title` },
    h(`h3#${operation.operationId}-title`, {}, operation.summary ?? operation.operationId),
    h("p.path", {}, h("span.method", {}, method.toUpperCase()), " ", h("code", {}, path)),
    operation.description ? h("p", {}, ...ticked(operation.description)) : null,
    operation.parameters?.length ? part("Parameters", parameters(operation.parameters)) : null,
    body ? part("Body", ...Object.entries(body).map(([type, { schema }]) => h("div", {}, h("p.type", {}, type), tree(schema)))) : null,
    part("Answers", h("dl.answers", {}, ...Object.entries(operation.responses).flatMap(([status, answer]) => answered(status, answer)))),
    part("Try it", h("div.command", {}, h("pre", { tabIndex: 0 }, command), copy)),
  );
}

/** @param {string} title @param {...Node} content */
const part = (title, ...content) => h("section.part", {}, h("h4", {}, title), ...content);

/** @param {any[]} given */
function parameters(given) {
  const rows = given.map(({ name, in: where, required, schema, description }) =>
    h("tr", {}, h("td", {}, h("code", {}, name), required ? h("span.required", {}, " required") : null), h("td", {}, where), h("td", {}, typeOf(schema), limits(schema)), h("td", {}, ...ticked(description ?? schema?.description ?? ""))),
  );
  return h("div.scroll", { tabIndex: 0, role: "group", "aria-label": "Parameters" }, h("table", {}, h("thead", {}, h("tr", {}, ...["Name", "In", "Type", "Meaning"].map((each) => h("th", { scope: "col" }, each)))), h("tbody", {}, ...rows)));
}

/** @param {string} status @param {any} answer */
function answered(status, { description, content = {} }) {
  const types = Object.entries(content);
  const trees = types.filter(([, { schema }]) => schema && Object.keys(schema).length && schema.type !== "string").map(([, { schema }]) => h("details", {}, h("summary", {}, typeOf(schema)), tree(schema)));
  return [h("dt", {}, status), h("dd", {}, h("p", {}, description, " ", h("span.type", {}, types.map(([type]) => type).join(", "))), ...trees)];
}

/** @param {any} schema */
const resolved = (schema) => (schema?.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : (schema ?? {}));

/** A schema's type in a word or two. @param {any} schema @returns {string} */
function typeOf(schema) {
  if (!schema || schema === true) return "anything";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.map((/** @type {any} */ each) => JSON.stringify(each)).join(" | ");
  if ("const" in schema) return JSON.stringify(schema.const);
  const any = schema.anyOf ?? schema.oneOf;
  if (any) return any.map(typeOf).join(" | ");
  if (schema.type === "array") return `list of ${schema.prefixItems ? schema.prefixItems.map(typeOf).join(", ") : typeOf(schema.items)}`;
  if (schema.type === "object" && schema.additionalProperties) return `object of ${typeOf(schema.additionalProperties)}`;
  return schema.format ?? schema.type ?? "anything";
}

/** What a schema allows, in brief. @param {any} schema */
function limits(schema) {
  const said = [];
  if (schema?.default !== undefined && schema.default !== null) said.push(`default ${JSON.stringify(schema.default)}`);
  const phrases = { minimum: "from #", maximum: "to #", minLength: "# characters or more", maxLength: "# characters at most", minItems: "# or more", maxItems: "# at most" };
  for (const [key, text] of Object.entries(phrases)) if (schema?.[key] !== undefined) said.push(text.replace("#", schema[key]));
  return said.length ? ` (${said.join(", ")})` : "";
}

/** The fields of a schema, and theirs. @param {any} schema @param {string[]} within names already open, so that none opens in itself */
function tree(schema, within = []) {
  const name = schema?.$ref?.split("/").pop();
  const own = resolved(schema);
  const inner = [own, ...(own.anyOf ?? own.oneOf ?? []), own.items, own.additionalProperties].filter((each) => each && each !== true);
  const fields = inner.find((each) => resolved(each).properties);
  if (!fields || (name && within.includes(name))) return h("p", {}, typeOf(schema), limits(own));
  const { properties, required = [] } = resolved(fields);
  const open = name ? [...within, name] : within;
  return h(
    "ul.tree",
    {},
    ...Object.entries(properties).map(([field, each]) =>
      h("li", {}, h("code", {}, field), h("span.type", {}, ` ${typeOf(each)}${limits(each)}`), required.includes(field) ? h("span.required", {}, " required") : null, each.description ? h("p", {}, ...ticked(each.description)) : null, holdsFields(each) && open.length < 4 ? tree(each, open) : null),
    ),
  );
}

/** @param {any} schema @returns {boolean} */
function holdsFields(schema) {
  const own = resolved(schema);
  return Boolean(own.properties) || [...(own.anyOf ?? []), own.items].filter(Boolean).some((each) => Boolean(resolved(each).properties));
}

/** A word as a shell reads it literally. @param {string} word */
const quoted = (word) => (/^[\w./:-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** @param {string} method @param {string} path @param {any} operation */
function curl(method, path, operation) {
  const given = operation.parameters ?? [];
  const filled = path.replaceAll(/\{(\w+)[^}]*\}/g, (_, name) => encodeURIComponent(String(real[name] ?? "ID")));
  const query = given.filter((/** @type {any} */ each) => each.in === "query" && each.required).map((/** @type {any} */ { name }) => `${name}=${encodeURIComponent(real[name] ?? "…")}`);
  const words = [`curl ${quoted(location.origin + filled + (query.length ? `?${query.join("&")}` : ""))}`];
  const content = operation.requestBody?.content ?? {};
  if (content["application/json"]) words.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(example(content["application/json"].schema)))}`);
  else if (content["image/jpeg"]) words.push("-H 'Content-Type: image/jpeg'", "--data-binary @photo.jpg");
  const type = Object.keys(operation.responses["200"]?.content ?? {})[0] ?? "";
  if (type.startsWith("image/")) words.push(`-H 'Accept: ${type}'`, `-o picture.${type.slice(6).replace("jpeg", "jpg")}`);
  return words.join(" \\\n  ");
}

/** A body that the server accepts: what is required, and the design. @param {any} schema */
function example(schema) {
  const { properties = {}, required = [] } = resolved(schema);
  const held = {};
  for (const name of Object.keys(properties)) {
    if (real[name] !== undefined && name !== "id") held[name] = real[name];
    else if (required.includes(name)) held[name] = properties[name].default ?? properties[name].minimum ?? null;
  }
  return held;
}

/** Text whose `ticked` parts are code. @param {string} text */
const ticked = (text) => text.split(/(`[^`]+`)/).map((each) => (each.startsWith("`") ? h("code", {}, each.slice(1, -1)) : each));

start();
