// A look painted as one picture: the design large, what goes with it beside it, each on its white tile.

const PAPER = "#faf8f5";
const INK = "#1d1a17";
const QUIET = "#625a51";
const SERIF = '"Iowan Old Style", "Palatino Linotype", Palatino, Georgia, serif';
const EDGE = 48;
const LARGE = { width: 540, height: 720 };
const GAP = 24;
const CAPTION = 64; // two lines

/**
 * @param {string} name @param {{url: string, title: string}[]} items the design first @param {string} note
 * @returns {Promise<Blob | null>} a PNG
 */
export async function paintLook(name, items, note) {
  const pictures = await Promise.all(items.map((each) => loaded(each.url)));
  const [, ...others] = items;
  const columns = others.length ? Math.ceil(others.length / 2) : 0;
  const small = { height: (LARGE.height - GAP - CAPTION) / 2, width: 0 };
  small.width = Math.round(small.height * 0.75);
  const top = EDGE + 76;
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(900, 2 * EDGE + LARGE.width + columns * (small.width + GAP));
  canvas.height = top + LARGE.height + CAPTION + EDGE + 24;
  const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  brush.fillStyle = PAPER;
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.fillStyle = INK;
  brush.font = `44px ${SERIF}`;
  brush.fillText(fitted(brush, name, canvas.width - 2 * EDGE), EDGE, EDGE + 38);

  const paint = (/** @type {number} */ i, /** @type {number} */ x, /** @type {number} */ y, /** @type {{width: number, height: number}} */ size) => {
    brush.fillStyle = "#ffffff";
    brush.beginPath();
    brush.roundRect(x, y, size.width, size.height, 14);
    brush.fill();
    const picture = pictures[i];
    if (picture) {
      brush.save();
      brush.clip();
      const scale = Math.min(size.width / picture.naturalWidth, size.height / picture.naturalHeight);
      const [width, height] = [picture.naturalWidth * scale, picture.naturalHeight * scale];
      brush.drawImage(picture, x + (size.width - width) / 2, y + (size.height - height) / 2, width, height);
      brush.restore();
    }
    brush.fillStyle = QUIET;
    brush.font = `20px ${SERIF}`;
    lines(brush, items[i].title, size.width).forEach((line, at) => brush.fillText(line, x, y + size.height + 27 + 25 * at));
  };
  paint(0, EDGE, top, LARGE);
  others.forEach((_, i) => {
    const x = EDGE + LARGE.width + GAP + Math.floor(i / 2) * (small.width + GAP);
    paint(i + 1, x, top + (i % 2) * (small.height + GAP + CAPTION), small);
  });
  brush.fillStyle = QUIET;
  brush.font = `italic 20px ${SERIF}`;
  brush.fillText(note, EDGE, canvas.height - EDGE + 14);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** @param {string} url @returns {Promise<HTMLImageElement | null>} null where it cannot be had */
async function loaded(url) {
  const image = new Image();
  image.src = url;
  return image.decode().then(
    () => image,
    () => null,
  );
}

/** A text on two lines at most. @param {CanvasRenderingContext2D} brush @param {string} text @param {number} width */
function lines(brush, text, width) {
  const parts = text.slice(0, 200).split(" ");
  let first = "";
  while (parts.length && brush.measureText(`${first}${parts[0]}`).width <= width) first += `${parts.shift()} `;
  return (first ? [first, parts.join(" ")] : [parts.join(" ")]).filter(Boolean).map((each) => fitted(brush, each, width));
}

/** As much of a text as fits. @param {CanvasRenderingContext2D} brush @param {string} text @param {number} width */
function fitted(brush, text, width) {
  let shown = text.length > 200 ? text.slice(0, 200) : text;
  while (shown.length > 1 && brush.measureText(shown.length < text.length ? `${shown}…` : shown).width > width) shown = shown.slice(0, -1);
  return shown.length < text.length ? `${shown.trimEnd()}…` : shown;
}
