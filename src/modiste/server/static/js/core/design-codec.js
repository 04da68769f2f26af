// A design as text: one byte for each latent's position on its slider, in base64url. The server's design codec does the same.

/** @typedef {[minimum: number, maximum: number]} Range */

/** Return the range of every latent, in latent order. @param {import("./api.js").LatentSlider[]} sliders @returns {Range[]} */
export function rangesOf(sliders) {
  /** @type {Range[]} */
  const ranges = new Array(sliders.length);
  for (const { latent, minimum, maximum } of sliders) ranges[latent] = [minimum, maximum];
  return ranges;
}

/** Limit a code to the ranges. @param {ArrayLike<number>} code @param {Range[]} ranges @returns {Float32Array} */
export function clamp(code, ranges) {
  return Float32Array.from(ranges, ([low, high], i) => Math.min(Math.max(code[i], low), high));
}

/** Return one byte per latent: 0 at the low end of its range, 255 at the high end. @param {ArrayLike<number>} code @param {Range[]} ranges */
export function quantise(code, ranges) {
  return Uint8Array.from(ranges, ([low, high], i) => {
    const share = high > low ? (code[i] - low) / (high - low) : 0;
    return Math.round(255 * Math.min(Math.max(share, 0), 1));
  });
}

/** Return the code of the bytes. @param {Uint8Array} bytes @param {Range[]} ranges */
export function dequantise(bytes, ranges) {
  return Float32Array.from(ranges, ([low, high], i) => low + (bytes[i] / 255) * (high - low));
}

/** Return the bytes as base64url without padding. @param {Uint8Array} bytes */
export function toText(bytes) {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** Return the bytes of a text; null if it is not `count` bytes of base64url. @param {string} text @param {number} count */
export function fromText(text, count) {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return null;
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) =>
      c.charCodeAt(0),
    );
    return bytes.length === count ? bytes : null;
  } catch {
    return null;
  }
}
