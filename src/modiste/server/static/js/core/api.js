// The HTTP API: every path, header and field name that the page knows. Other modules use the names that this one returns.

/** @typedef {[width: number, height: number]} Size */
/** @typedef {Record<string, any>} Filters by attribute: a list of values, or {min, max} */
/** @typedef {{value: any, count: number, colour: string | null}} FacetValue */
/** @typedef {{name: string, kind: "words" | "number" | "flag", values: FacetValue[], minimum: number, maximum: number}} Facet */
/** @typedef {{name: string, count: number, average: number[]}} Category */

/**
 * @typedef {object} Shop
 * @property {string} name
 * @property {number} products how many it has
 * @property {Size} renderSize in pixels
 * @property {Category[]} categories
 * @property {Facet[]} facets
 * @property {string[]} methods
 * @property {string[]} metrics
 * @property {string[]} scopes
 * @property {{photo_bytes: number, megapixels: number}} limits of an uploaded photo
 */

/** @typedef {{latent: number, name: string, low: string, high: string, minimum: number, maximum: number, kl: number, idle: boolean}} LatentSlider */
/** @typedef {{attribute: string, value: string | null, name: string, direction: number[], minimum: number, maximum: number, share: number, categories: string[]}} AttributeSlider */

/**
 * @typedef {object} Sliders
 * @property {string} model its id
 * @property {string} renderId names model and sliders: a rendered design belongs to one of these
 * @property {LatentSlider[]} latents in the order to show them
 * @property {AttributeSlider[]} attributes
 * @property {number[]} average the mean of all products' codes
 * @property {Exemplar & {code: number[]}} first the product that the page opens with
 */

/** @typedef {{id: string, title: string, category: string, attributes: Record<string, any>, photo: string, thumbnail: string}} Product */
/** @typedef {Product & {code: number[], photoHash: string}} ProductDetail */
/** @typedef {{id: string, title: string, photoHash: string}} Exemplar a product whose details designs are drawn with */
/** @typedef {Product & {score: number, closeness: string}} Match */
/** @typedef {{weights: number[], means: number[][], covariances: number[][][]}} Mixture of Gaussians over codes */
/** @typedef {{page: number, size: number, total: number, results: Product[]}} ProductPage */
/** @typedef {{share: number, word: string, nearest: string}} Typicality */
/** @typedef {{results: Match[], method: string, typicality: Typicality, position: [number, number]}} SimilarResult */
/** @typedef {{category: string, results: Match[]}} Recommendation */
/** @typedef {{code: number[], cut: {done: boolean, photo: string}}} EncodedPhoto */
/** @typedef {{values: string[], colours: (string | null)[], of: number[]}} MapAttribute */
/** @typedef {{ids: string[], x: number[], y: number[], categories: string[], category: number[], attributes: Record<string, MapAttribute>}} CatalogueMap */

const VERSION_HEADER = "Modiste-Shop-Version";

/** A request that failed: the server refused it, or did not answer. */
export class ApiError extends Error {
  /**
   * @param {number} status HTTP status; 0 if the server cannot be reached
   * @param {{code?: string, detail?: string, remedy?: string}} problem RFC 9457
   */
  constructor(status, problem) {
    super([problem.detail, problem.remedy].filter(Boolean).join(" "));
    this.status = status;
    this.code = problem.code ?? "unknown";
  }

  /** Whether the server itself did not answer. */
  get isUnavailable() {
    return [0, 502, 503, 504].includes(this.status);
  }

  /** Whether a rendered design was requested of a model or of sliders that the server no longer has. */
  get isUnknownRenderId() {
    return this.code === "unknown_render_id";
  }

  /** Whether a picture was requested with the details of a photo that the server no longer has. */
  get isUnknownExemplar() {
    return this.code === "unknown_exemplar";
  }
}

// The shop version that this page started with. A code has no meaning for another model, so every request asks for this
// version, and the server answers with it for as long as it has it.
let shopVersion = "";

/**
 * Send a request. Dispatches `modiste:unavailable` on the window if the server does not answer, and
 * `modiste:shop-changed` if it answers with another version of the shop.
 * @param {string} path @param {RequestInit} [init] @returns {Promise<Response>}
 */
export async function request(path, init = {}) {
  const headers = shopVersion ? { ...init.headers, [VERSION_HEADER]: shopVersion } : init.headers;
  let response;
  try {
    response = await fetch(path, { ...init, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw reported(new ApiError(0, { code: "unreachable", detail: "The shop’s server cannot be reached." }));
  }
  if (!response.ok) {
    const problem = await response.json().catch(() => ({ detail: response.statusText }));
    throw reported(new ApiError(response.status, problem));
  }
  const version = response.headers.get(VERSION_HEADER) ?? "";
  if (version && shopVersion && version !== shopVersion)
    window.dispatchEvent(new Event("modiste:shop-changed"));
  shopVersion ||= version;
  return response;
}

/** @param {ApiError} error */
function reported(error) {
  if (error.isUnavailable) window.dispatchEvent(new Event("modiste:unavailable"));
  return error;
}

/** @param {string} path @param {AbortSignal} [signal] @returns {Promise<any>} */
const getJson = async (path, signal) => (await request(path, { signal })).json();

/** @param {string} path @param {object} body @param {AbortSignal} [signal] @returns {Promise<any>} */
const postJson = async (path, body, signal) =>
  (await request(path, post(body, "application/json", signal))).json();

/** @param {object} body @param {string} accept @param {AbortSignal} [signal] @returns {RequestInit} */
function post(body, accept, signal) {
  const headers = { "Content-Type": "application/json", Accept: accept };
  return { method: "POST", headers, body: JSON.stringify(body), signal };
}

/** Return whether the server is ready to answer. @returns {Promise<boolean>} */
export const isReady = () =>
  fetch("/readyz", { cache: "no-store" }).then(
    (response) => response.ok,
    () => false,
  );

/** @returns {Promise<Shop>} */
export async function fetchShop() {
  const { size, ...shop } = await getJson("/v1/shop");
  return { ...shop, renderSize: size };
}

/** @returns {Promise<Sliders>} */
export async function fetchSliders() {
  const { render_id, first, ...sliders } = await getJson("/v1/sliders");
  return { ...sliders, renderId: render_id, first: withPhotoHash(first) };
}

/** @param {AbortSignal} [signal] @returns {Promise<CatalogueMap>} */
export const fetchMap = (signal) => getJson("/v1/map", signal);

/** The model card, as Markdown. */
export const fetchModelCard = async () => (await request("/v1/model-card")).text();

/** The API's own description. @returns {Promise<any>} */
export const fetchOpenApi = () => getJson("/openapi.json");

/** @param {Record<string, string>} query page, size, q, category, sort, seed @param {AbortSignal} [signal] @returns {Promise<ProductPage>} */
export const fetchProducts = (query, signal) => getJson(`/v1/products?${new URLSearchParams(query)}`, signal);

/** @param {string} id */
const productPath = (id) => `/v1/products/${encodeURIComponent(id)}`;

/** @param {any} product a product as the server describes it */
const withPhotoHash = ({ photo_hash, ...product }) => ({ ...product, photoHash: photo_hash });

/** @param {string} id @returns {Promise<ProductDetail>} */
export const fetchProduct = async (id) => withPhotoHash(await getJson(productPath(id)));

/** The URL of a product's small photo. @param {string} id @param {number} height in pixels */
export const thumbnailUrl = (id, height) => `${productPath(id)}/thumbnail.webp?height=${height}`;

/** The parameters of a design's picture. @param {string} renderId @param {string} design its token */
export const renderParameters = (renderId, design) => ({ render_id: renderId, design });

/**
 * The URL of a design's picture, with the details of an exemplar if there is one, or of two, mixed.
 * @param {string} renderId @param {string} design its token @param {Exemplar | null} [exemplar]
 * @param {{exemplar: Exemplar, share: number}} [second] another exemplar, and its share from 0 to 1
 */
export function renderUrl(renderId, design, exemplar, second) {
  const details = exemplar && { exemplar: exemplar.id, photo_hash: exemplar.photoHash };
  const mixed = second && {
    exemplar_b: second.exemplar.id,
    photo_hash_b: second.exemplar.photoHash,
    share: second.share.toFixed(2),
  };
  return `/v1/render.jpg?${new URLSearchParams({ ...renderParameters(renderId, design), ...details, ...mixed })}`;
}

/** The Gaussian mixture of the catalogue's codes. @returns {Promise<Mixture>} */
export const fetchMixture = () => getJson("/v1/mixture");

/**
 * @param {{code: number[], k: number, method: string, metric: string, scope: string, where: Filters}} query
 * @param {AbortSignal} [signal] @returns {Promise<SimilarResult>}
 */
export const fetchSimilar = (query, signal) => postJson("/v1/similar", query, signal);

/**
 * Products of the other categories that go with a code.
 * @param {{code: number[], k: number, method: string, metric: string, where: Filters}} query `k` of each category
 * @param {AbortSignal} [signal] @returns {Promise<Recommendation[]>}
 */
export const fetchRecommendations = async (query, signal) =>
  (await postJson("/v1/recommend", { ...query, by: "category" }, signal)).recommendations;

/** The picture of a code, as a PNG. @param {number[]} code @param {string | null} exemplar the id of a product, or null */
export const fetchPicture = async (code, exemplar) =>
  (await request(DECODE_PATH, post({ code, exemplar }, "image/png"))).blob();

export const DECODE_PATH = "/v1/decode";

/**
 * The pictures between two designs in one file: a strip as PNG, or an animation there and back as WebP.
 * @param {{code: number[], exemplar: string | null}} a @param {{code: number[], exemplar: string | null}} b
 * @param {number} steps @param {"image/png" | "image/webp"} type
 */
export async function fetchInterpolation(a, b, steps, type) {
  const body = {
    a: a.code,
    b: b.code,
    exemplar_a: a.exemplar,
    exemplar_b: b.exemplar,
    steps,
    there_and_back: type === "image/webp",
  };
  return (await request("/v1/interpolate", post(body, type))).blob();
}

/**
 * The code of a photo. @param {File} photo @param {boolean} keepBackground @param {AbortSignal} signal
 * @returns {Promise<EncodedPhoto>}
 */
export async function encodePhoto(photo, keepBackground, signal) {
  const path = `/v1/encode${keepBackground ? "?cut=false" : ""}`;
  return (
    await request(path, { method: "POST", headers: { "Content-Type": photo.type }, body: photo, signal })
  ).json();
}
