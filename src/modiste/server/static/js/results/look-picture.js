// A look as one picture: the design large, and the products that go with it beside it, each on a white tile.

import { shorten } from "../core/strings.js";

const PAPER = "#faf8f5";
const INK = "#1d1a17";
const QUIET = "#625a51";
const SERIF = '"Iowan Old Style", "Palatino Linotype", Palatino, Georgia, serif';
// All lengths are in pixels.
const MARGIN = 48;
const TITLE_HEIGHT = 76;
const NOTE_HEIGHT = 24;
const MIN_WIDTH = 900;
const LARGE = { width: 540, height: 720 };
const GAP = 24;
const CAPTION_HEIGHT = 64; // two lines
const SMALL_HEIGHT = (LARGE.height - GAP - CAPTION_HEIGHT) / 2;
const SMALL = { width: Math.round(SMALL_HEIGHT * 0.75), height: SMALL_HEIGHT };
const TOP = MARGIN + TITLE_HEIGHT;
const MAX_TEXT = 200; // characters
const AFTER_HEADER = 33; // bytes of a PNG before its second chunk

/** @typedef {{url: string, title: string}} Picture */
/** @typedef {{x: number, y: number, width: number, height: number}} Box */

/** Return the size of the picture, and the place of each tile: the first large, the others in two rows beside it. @param {number} count */
export function layOut(count) {
  const columns = Math.ceil(Math.max(count - 1, 0) / 2);
  const width = Math.max(MIN_WIDTH, 2 * MARGIN + LARGE.width + columns * (SMALL.width + GAP));
  const height = TOP + LARGE.height + CAPTION_HEIGHT + MARGIN + NOTE_HEIGHT;
  const tiles = Array.from({ length: count }, (_, i) => {
    if (i === 0) return { x: MARGIN, y: TOP, ...LARGE };
    const [column, row] = [Math.floor((i - 1) / 2), (i - 1) % 2];
    return {
      x: MARGIN + LARGE.width + GAP + column * (SMALL.width + GAP),
      y: TOP + row * (SMALL.height + GAP + CAPTION_HEIGHT),
      ...SMALL,
    };
  });
  return { width, height, tiles };
}

/**
 * Draw a look. @param {string} name @param {Picture[]} pictures the design first @param {string} note
 * @returns {Promise<Blob | null>} a PNG
 */
export async function drawLook(name, pictures, note) {
  const images = await Promise.all(pictures.map(({ url }) => loadImage(url)));
  const { width, height, tiles } = layOut(pictures.length);
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const measure = (/** @type {string} */ text) => context.measureText(text).width;
  context.fillStyle = PAPER;
  context.fillRect(0, 0, width, height);
  context.fillStyle = INK;
  context.font = `44px ${SERIF}`;
  context.fillText(fitLine(name, width - 2 * MARGIN, measure), MARGIN, MARGIN + 38);
  tiles.forEach((tile, i) => {
    drawTile(context, images[i], tile);
    context.fillStyle = QUIET;
    context.font = `20px ${SERIF}`;
    fitTwoLines(pictures[i].title, tile.width, measure).forEach((line, row) => {
      context.fillText(line, tile.x, tile.y + tile.height + 27 + 25 * row);
    });
  });
  context.fillStyle = QUIET;
  context.font = `italic 20px ${SERIF}`;
  context.fillText(note, MARGIN, height - MARGIN + 14);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/**
 * Return a PNG with the mark of another picture: the XMP that says that it was drawn. Without one, the PNG itself.
 * @param {Blob} png @param {string} url of the other picture
 */
export async function withMark(png, url) {
  const picture = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const text = new TextDecoder("latin1").decode(picture);
  const begin = text.indexOf("<?xpacket begin");
  const end = text.indexOf("?>", text.indexOf("<?xpacket end"));
  if (begin < 0 || end < begin) return png;
  const chunk = textChunk("XML:com.adobe.xmp", picture.slice(begin, end + 2));
  const bytes = new Uint8Array(await png.arrayBuffer());
  return new Blob([bytes.slice(0, AFTER_HEADER), chunk, bytes.slice(AFTER_HEADER)], { type: "image/png" });
}

/** Return an iTXt chunk of a PNG. @param {string} keyword @param {Uint8Array} text UTF-8 */
export function textChunk(keyword, text) {
  // After the keyword: a zero, no compression (two bytes), and empty language and translation.
  const content = new Uint8Array([...new TextEncoder().encode(`iTXt${keyword}`), 0, 0, 0, 0, 0, ...text]);
  const chunk = new Uint8Array(content.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, content.length - 4);
  chunk.set(content, 4);
  view.setUint32(content.length + 4, crc32(content));
  return chunk;
}

/** Return the checksum of a PNG's chunk. @param {Uint8Array} bytes */
function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** @param {CanvasRenderingContext2D} context @param {HTMLImageElement | null} image @param {Box} tile */
function drawTile(context, image, { x, y, width, height }) {
  context.fillStyle = "#ffffff";
  context.beginPath();
  context.roundRect(x, y, width, height, 14);
  context.fill();
  if (!image) return;
  context.save();
  context.clip();
  const scale = Math.min(width / image.naturalWidth, height / image.naturalHeight);
  const [w, h] = [image.naturalWidth * scale, image.naturalHeight * scale];
  context.drawImage(image, x + (width - w) / 2, y + (height - h) / 2, w, h);
  context.restore();
}

/** @param {string} url @returns {Promise<HTMLImageElement | null>} null if it cannot be loaded */
async function loadImage(url) {
  const image = new Image();
  image.src = url;
  return image.decode().then(
    () => image,
    () => null,
  );
}

/** Break a text into at most two lines. @param {string} text @param {number} width @param {(text: string) => number} measure */
export function fitTwoLines(text, width, measure) {
  const words = text.slice(0, MAX_TEXT).split(" ");
  let first = "";
  while (words.length && measure(first + words[0]) <= width) first += `${words.shift()} `;
  return [first.trimEnd(), words.join(" ")].filter(Boolean).map((line) => fitLine(line, width, measure));
}

/** Shorten a text to a width. @param {string} text @param {number} width @param {(text: string) => number} measure */
export function fitLine(text, width, measure) {
  let length = Math.min(text.length, MAX_TEXT);
  while (length > 1 && measure(shorten(text, length)) > width) length -= 1;
  return shorten(text, length);
}
