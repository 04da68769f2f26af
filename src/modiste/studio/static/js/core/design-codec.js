// A design as bytes: each number over its slider's range in one byte, base64url. The server's codec.py does the same.

/** @typedef {{latent: number, name: string, low: string, high: string, minimum: number, maximum: number, kl: number, idle: boolean}} Slider */

/** The range of every latent, in latent order: [[minimum, maximum], …]. @param {Slider[]} latents */
export function rangesOf(latents) {
  const ranges = new Array(latents.length);
  for (const each of latents) ranges[each.latent] = [each.minimum, each.maximum];
  return ranges;
}

/** A code held within the ranges. @param {ArrayLike<number>} code @param {number[][]} ranges @returns {Float32Array} */
export function clamp(code, ranges) {
  return Float32Array.from(ranges, ([low, high], i) => Math.min(Math.max(code[i], low), high));
}

/** @param {ArrayLike<number>} code @param {number[][]} ranges @returns {Uint8Array} */
export function quantise(code, ranges) {
  return Uint8Array.from(ranges, ([low, high], i) => {
    const share = high > low ? (code[i] - low) / (high - low) : 0;
    return Math.round(255 * Math.min(Math.max(share, 0), 1));
  });
}

/** @param {Uint8Array} bytes @param {number[][]} ranges @returns {Float32Array} */
export function dequantise(bytes, ranges) {
  return Float32Array.from(ranges, ([low, high], i) => low + (bytes[i] / 255) * (high - low));
}

/** @param {Uint8Array} bytes */
export function toText(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The bytes of a link; null if it is not `count` bytes of base64url. @param {string} text @param {number} count */
export function fromText(text, count) {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return null;
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    return bytes.length === count ? bytes : null;
  } catch {
    return null;
  }
}
