// How many products a list shows.

const MAX_PRODUCTS = 12;

/** Return how many products to request: a small shop has fewer than a full list. @param {import("../core/store.js").App} app */
export const productCount = (app) => Math.max(1, Math.min(MAX_PRODUCTS, app.shop.products));
