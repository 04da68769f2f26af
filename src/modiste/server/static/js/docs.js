// The API page, generated from the server's openapi.json: every operation with its parameters, responses and an example command.

import { fetchOpenApi, fetchProducts, fetchSliders, renderParameters } from "./core/api.js";
import { quantise, rangesOf, toText } from "./core/design-codec.js";
import { byId, copyText, fill, h } from "./core/dom.js";
import { joinLines, quote } from "./core/shell.js";

/** @typedef {any} Schema a JSON schema of OpenAPI 3.1 */
/** @typedef {{method: string, path: string, operation: any}} Operation */

const METHODS = ["get", "post", "put", "patch", "delete"];
const MAX_DEPTH = 4; // of nested fields

/** @type {any} */
let api;
/** Values of this shop for the examples, by parameter or field name. @type {Record<string, any>} */
const examples = {};

async function start() {
  try {
    api = await fetchOpenApi();
  } catch (error) {
    fill(byId("operations"), h("p", { role: "alert" }, /** @type {Error} */ (error).message));
    return;
  }
  await loadExamples().catch(() => {}); // the commands then hold placeholders
  byId("title").textContent = `${api.info.title}, version ${api.info.version}`;
  fill(byId("about"), ...withCode(api.info.description ?? ""));
  const groups = groupedOperations();
  fill(byId("contents"), ...[...groups].map(([name, operations]) => contents(name, operations)));
  fill(
    byId("operations"),
    ...[...groups].flatMap(([name, operations]) => [h("h2.group", {}, name), ...operations.map(article)]),
  );
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

/** Load a design and a product of this shop for the examples. */
async function loadExamples() {
  const [sliders, { results }] = await Promise.all([fetchSliders(), fetchProducts({ size: "1" })]);
  const rounded = (/** @type {number} */ x) => Number(x.toFixed(4));
  const code = sliders.average.map(rounded);
  const design = toText(quantise(sliders.average, rangesOf(sliders.latents)));
  Object.assign(examples, renderParameters(sliders.renderId, design), { id: results[0]?.id });
  Object.assign(examples, { code, a: code, b: code.map((x) => rounded(x + 0.5)) });
}

function groupedOperations() {
  /** @type {Map<string, Operation[]>} by tag */
  const groups = new Map();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const method of METHODS) {
      const operation = methods[method];
      if (!operation) continue;
      const tag = operation.tags?.[0] ?? "more";
      groups.set(tag, [...(groups.get(tag) ?? []), { method, path, operation }]);
    }
  }
  return groups;
}

/** @param {string} name @param {Operation[]} operations */
function contents(name, operations) {
  const items = operations.map(({ method, path, operation }) => {
    const label = h("span.method", {}, method.toUpperCase());
    return h("li", {}, h("a", { href: `#${operation.operationId}` }, label, " ", path));
  });
  return h("section", {}, h("h2", {}, name), h("ul", {}, ...items));
}

/** @param {Operation} operation */
function article({ method, path, operation }) {
  const id = operation.operationId;
  const body = Object.entries(operation.requestBody?.content ?? {});
  const command = curlCommand(path, operation);
  const copy = h("button", { type: "button" }, "Copy");
  copy.addEventListener("click", async () => {
    copy.textContent = (await copyText(command)) ? "Copied" : "Select it, then press Ctrl+C";
  });
  const bodyTypes = body.map(([type, { schema }]) => h("div", {}, h("p.type", {}, type), fieldTree(schema)));
  const responses = Object.entries(operation.responses).flatMap(([status, each]) => response(status, each));
  return h(
    `article#${id}`,
    { "aria-labelledby": `${id}-title` },
    h(`h3#${id}-title`, {}, operation.summary ?? id),
    h("p.path", {}, h("span.method", {}, method.toUpperCase()), " ", h("code", {}, path)),
    operation.description ? h("p", {}, ...withCode(operation.description)) : null,
    operation.parameters?.length ? section("Parameters", parameterTable(operation.parameters)) : null,
    body.length ? section("Body", ...bodyTypes) : null,
    section("Responses", h("dl.responses", {}, ...responses)),
    section("Example", h("div.command", {}, h("pre", { tabIndex: 0 }, command), copy)),
  );
}

/** @param {string} title @param {...Node} content */
const section = (title, ...content) => h("section.part", {}, h("h4", {}, title), ...content);

/** @param {any[]} parameters */
function parameterTable(parameters) {
  const heads = ["Name", "In", "Type", "Meaning"].map((text) => h("th", { scope: "col" }, text));
  const rows = parameters.map(({ name, in: where, required, schema, description }) =>
    h(
      "tr",
      {},
      h("td", {}, h("code", {}, name), required ? h("span.required", {}, " required") : null),
      h("td", {}, where),
      h("td", {}, typeOf(schema), limitsOf(schema)),
      h("td", {}, ...withCode(description ?? schema?.description ?? "")),
    ),
  );
  return h(
    "div.scroll",
    { tabIndex: 0, role: "group", "aria-label": "Parameters" },
    h("table", {}, h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...rows)),
  );
}

/** @param {string} status @param {any} response */
function response(status, { description, content = {} }) {
  const types = Object.keys(content).join(", ");
  const schemas = Object.values(content)
    .map(({ schema }) => schema)
    .filter((schema) => schema && Object.keys(schema).length && schema.type !== "string");
  const trees = schemas.map((schema) =>
    h("details", {}, h("summary", {}, typeOf(schema)), fieldTree(schema)),
  );
  return [
    h("dt", {}, status),
    h("dd", {}, h("p", {}, description, " ", h("span.type", {}, types)), ...trees),
  ];
}

/** Return the name of a reference's schema. @param {Schema} schema @returns {string | undefined} */
const referenceName = (schema) => schema?.$ref?.split("/").pop();

/** Follow a reference. @param {Schema} schema @returns {Schema} */
function resolve(schema) {
  const name = referenceName(schema);
  return name ? api.components.schemas[name] : (schema ?? {});
}

/** Name a schema's type. @param {Schema} schema @returns {string} */
function typeOf(schema) {
  if (!schema || schema === true) return "anything";
  const name = referenceName(schema);
  if (name) return name;
  if (schema.enum) return schema.enum.map((/** @type {any} */ value) => JSON.stringify(value)).join(" | ");
  if ("const" in schema) return JSON.stringify(schema.const);
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return options.map(typeOf).join(" | ");
  if (schema.type === "array") {
    return `list of ${schema.prefixItems ? schema.prefixItems.map(typeOf).join(", ") : typeOf(schema.items)}`;
  }
  if (schema.type === "object" && schema.additionalProperties) {
    return `object of ${typeOf(schema.additionalProperties)}`;
  }
  return schema.format ?? schema.type ?? "anything";
}

/** Say what values a schema allows. @param {Schema} schema */
function limitsOf(schema) {
  /** @type {Record<string, string>} */
  const texts = {
    minimum: "from #",
    maximum: "to #",
    minLength: "at least # characters",
    maxLength: "at most # characters",
    minItems: "at least # items",
    maxItems: "at most # items",
  };
  const hasDefault = schema?.default !== undefined && schema.default !== null;
  const limits = [
    ...(hasDefault ? [`default ${JSON.stringify(schema.default)}`] : []),
    ...Object.entries(texts).flatMap(([key, text]) =>
      schema?.[key] === undefined ? [] : [text.replace("#", schema[key])],
    ),
  ];
  return limits.length ? ` (${limits.join(", ")})` : "";
}

/** List the fields of a schema, and their fields. @param {Schema} schema @param {string[]} parents the schemas around it @returns {HTMLElement} */
function fieldTree(schema, parents = []) {
  const name = referenceName(schema);
  const resolved = resolve(schema);
  const options = resolved.anyOf ?? resolved.oneOf ?? [];
  const inner = [resolved, ...options, resolved.items, resolved.additionalProperties];
  const object = inner.find((each) => each && each !== true && resolve(each).properties);
  if (!object || (name && parents.includes(name))) return h("p", {}, typeOf(schema), limitsOf(resolved));
  const { properties, required = [] } = resolve(object);
  const path = name ? [...parents, name] : parents;
  const items = Object.entries(properties).map(([field, each]) =>
    h(
      "li",
      {},
      h("code", {}, field),
      h("span.type", {}, ` ${typeOf(each)}${limitsOf(each)}`),
      required.includes(field) ? h("span.required", {}, " required") : null,
      each.description ? h("p", {}, ...withCode(each.description)) : null,
      hasFields(each) && path.length < MAX_DEPTH ? fieldTree(each, path) : null,
    ),
  );
  return h("ul.tree", {}, ...items);
}

/** @param {Schema} schema @returns {boolean} */
function hasFields(schema) {
  const { properties, anyOf = [], items } = resolve(schema);
  return Boolean(properties) || [...anyOf, items].some((each) => each && resolve(each).properties);
}

/** @param {string} path @param {any} operation */
function curlCommand(path, operation) {
  /** @type {any[]} */
  const parameters = operation.parameters ?? [];
  const filled = path.replaceAll(/\{(\w+)[^}]*\}/g, (_, name) =>
    encodeURIComponent(String(examples[name] ?? "ID")),
  );
  const query = parameters
    .filter((each) => each.in === "query" && each.required)
    .map(({ name }) => `${name}=${encodeURIComponent(examples[name] ?? "…")}`);
  const url = location.origin + filled + (query.length ? `?${query.join("&")}` : "");
  const parts = [`curl ${quote(url)}`];
  const content = operation.requestBody?.content ?? {};
  if (content["application/json"]) {
    const body = JSON.stringify(exampleBody(content["application/json"].schema));
    parts.push("-H 'Content-Type: application/json'", `-d ${quote(body)}`);
  } else if (content["image/jpeg"]) {
    parts.push("-H 'Content-Type: image/jpeg'", "--data-binary @photo.jpg");
  }
  const type = Object.keys(operation.responses["200"]?.content ?? {})[0] ?? "";
  if (type.startsWith("image/")) {
    parts.push(`-H 'Accept: ${type}'`, `-o picture.${type.slice("image/".length).replace("jpeg", "jpg")}`);
  }
  return joinLines(parts);
}

/** Return a body that the server accepts: the required fields, and the design. @param {Schema} schema */
function exampleBody(schema) {
  const { properties = {}, required = [] } = resolve(schema);
  /** @type {Record<string, any>} */
  const body = {};
  for (const [name, { default: value, minimum }] of Object.entries(properties)) {
    if (examples[name] !== undefined && name !== "id") body[name] = examples[name];
    else if (required.includes(name)) body[name] = value ?? minimum ?? null;
  }
  return body;
}

/** Return a text with its `quoted` parts as code. @param {string} text */
const withCode = (text) =>
  text.split(/(`[^`]+`)/).map((part) => (part.startsWith("`") ? h("code", {}, part.slice(1, -1)) : part));

start();
