// The map, painted: points on a layer of their own, so that moving it costs one picture; photos, rings and the design above.

import { colourOf } from "./layout.js";

const PHOTOS = 80; // at most at once
const AT_ONCE = 6; // photos on their way
const MARGIN = 0.25; // of the layer beyond what is seen, each side
const SWIFT = 6; // milliseconds that a layer may take to be painted anew while the map moves
const MOST_ZOOM = 80;

export class MapCanvas {
  /** @param {HTMLCanvasElement} canvas @param {import("./layout.js").Plan} plan @param {(row: number) => string} photoOf */
  constructor(canvas, plan, photoOf) {
    this.canvas = canvas;
    this.brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.plan = plan;
    this.photoOf = photoOf;
    this.view = { x: 0.5, y: 0.5, zoom: 1 };
    this.size = { width: 0, height: 0, ratio: 1 };
    this.layer = document.createElement("canvas");
    /** @type {{x: number, y: number, zoom: number} | null} what the layer shows */
    this.painted = null;
    this.cost = 0;
    /** @type {Map<number, HTMLImageElement>} */
    this.photos = new Map();
    this.onTheWay = 0;
    this.colouring = plan.colourings[0];
    /** @type {Set<number>} rows with a ring */
    this.ringed = new Set();
    /** @type {[number, number] | null} */
    this.design = null;
    this.hovered = -1;
    this.focused = -1;
    this.colours = { paper: "#fff", ink: "#000", quiet: "#888", accent: "#800", dark: false };
    this._asked = 0;
    this._calm = 0;
  }

  /** Pixels of the page for the whole map's width, at the present zoom. */
  get scale() {
    return Math.min(this.size.width, this.size.height) * 0.92 * this.view.zoom;
  }

  /** @param {number} x @param {number} y @returns {[number, number]} */
  toScreen(x, y) {
    return [(x - this.view.x) * this.scale + this.size.width / 2, (y - this.view.y) * this.scale + this.size.height / 2];
  }

  /** @param {number} left @param {number} top @returns {[number, number]} */
  toWorld(left, top) {
    return [(left - this.size.width / 2) / this.scale + this.view.x, (top - this.size.height / 2) / this.scale + this.view.y];
  }

  /** What is in view: left, top, right, bottom. */
  box() {
    return [...this.toWorld(0, 0), ...this.toWorld(this.size.width, this.size.height)];
  }

  /** Move what is in the middle; the map never leaves the view. @param {number} x @param {number} y @param {number} [zoom] */
  look(x, y, zoom = this.view.zoom) {
    const hold = (/** @type {number} */ value, /** @type {number} */ low, /** @type {number} */ high) => Math.min(Math.max(value, low), high);
    this.view = { x: hold(x, 0, 1), y: hold(y, 0, 1), zoom: hold(zoom, 1, MOST_ZOOM) };
    this.draw();
  }

  /** Zoom about a point of the screen. @param {number} by @param {number} [left] @param {number} [top] */
  zoomBy(by, left = this.size.width / 2, top = this.size.height / 2) {
    const [x, y] = this.toWorld(left, top);
    const zoom = Math.min(Math.max(this.view.zoom * by, 1), MOST_ZOOM);
    const change = this.view.zoom / zoom;
    if (zoom === 1) this.look(0.5, 0.5, 1);
    else this.look(x + (this.view.x - x) * change, y + (this.view.y - y) * change, zoom);
  }

  /** @param {number} width @param {number} height */
  resize(width, height) {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    this.size = { width, height, ratio };
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.layer.width = Math.round(this.canvas.width * (1 + 2 * MARGIN));
    this.layer.height = Math.round(this.canvas.height * (1 + 2 * MARGIN));
    this.repaint();
  }

  /** The points have changed: colours, filters, size. */
  repaint() {
    this.painted = null;
    this.draw();
  }

  draw() {
    if (!this._asked) this._asked = requestAnimationFrame(() => ((this._asked = 0), this._draw()));
  }

  _draw() {
    const { brush, size, view, painted } = this;
    if (!size.width) return;
    const moved = painted && (painted.x !== view.x || painted.y !== view.y || painted.zoom !== view.zoom);
    if (!painted || (moved && this.cost < SWIFT)) this._paintLayer();
    else if (moved) {
      clearTimeout(this._calm);
      this._calm = setTimeout(() => this.repaint(), 90);
    }
    brush.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
    brush.clearRect(0, 0, size.width, size.height);
    this._blit();
    this._drawLabels();
    this._drawPhotos();
    for (const row of this.ringed) this._ring(row, this.colours.accent, 2);
    if (this.design) this._drawDesign(this.design);
    for (const row of new Set([this.focused, this.hovered])) if (row >= 0) this._drawFront(row);
  }

  /** The layer, as far as it is from where it was painted. */
  _blit() {
    const { brush, size, view } = this;
    const painted = /** @type {{x: number, y: number, zoom: number}} */ (this.painted);
    const grown = view.zoom / painted.zoom;
    const left = size.width / 2 + (painted.x - view.x) * this.scale;
    const top = size.height / 2 + (painted.y - view.y) * this.scale;
    const width = size.width * (1 + 2 * MARGIN) * grown;
    const height = size.height * (1 + 2 * MARGIN) * grown;
    brush.drawImage(this.layer, left - width / 2, top - height / 2, width, height);
  }

  _paintLayer() {
    const began = performance.now();
    const { plan, size, colouring, colours } = this;
    const brush = /** @type {CanvasRenderingContext2D} */ (this.layer.getContext("2d"));
    brush.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
    const [wide, high] = [size.width * (1 + 2 * MARGIN), size.height * (1 + 2 * MARGIN)];
    brush.clearRect(0, 0, wide, high);
    const radius = Math.min(1.5 * Math.sqrt(this.view.zoom) * (plan.count < 1000 ? 2 : 1), 6);
    const groups = colouring.values.length;
    /** @type {number[][]} the last two: not known, filtered out */
    const rows = Array.from({ length: groups + 2 }, () => []);
    for (let i = 0; i < plan.count; i++) rows[!plan.passes[i] ? groups + 1 : colouring.of[i] < 0 ? groups : colouring.of[i]].push(i);
    const order = [groups + 1, groups, ...Array(groups).keys()];
    for (const group of order) {
      const out = group === groups + 1;
      brush.fillStyle = group >= groups ? colours.quiet : colourOf(colouring, group, colours.dark);
      brush.globalAlpha = out ? 0.14 : group === groups ? 0.35 : 0.85;
      brush.beginPath();
      for (const i of rows[group]) {
        const left = (plan.x[i] - this.view.x) * this.scale + wide / 2;
        const top = (plan.y[i] - this.view.y) * this.scale + high / 2;
        if (left < -radius || top < -radius || left > wide + radius || top > high + radius) continue;
        if (radius < 2) brush.rect(left - radius, top - radius, 2 * radius, 2 * radius);
        else {
          brush.moveTo(left + radius, top);
          brush.arc(left, top, radius, 0, 2 * Math.PI);
        }
      }
      brush.fill();
      if (!out && colouring.colours[group]) {
        // A white or black swatch must be seen on paper of its own colour.
        brush.globalAlpha = 0.45;
        brush.lineWidth = 0.6;
        brush.strokeStyle = colours.quiet;
        brush.stroke();
      }
    }
    brush.globalAlpha = 1;
    this.painted = { ...this.view };
    this.cost = performance.now() - began;
  }

  _drawLabels() {
    if (this.view.zoom > 2.5 || this.colouring.name !== "category") return;
    const { brush, colours } = this;
    brush.font = '600 16px "Iowan Old Style", "Palatino Linotype", Palatino, Georgia, serif';
    brush.textAlign = "center";
    brush.textBaseline = "middle";
    brush.lineWidth = 5;
    brush.lineJoin = "round";
    for (const { value, x, y, count } of this.plan.middles(this.colouring)) {
      if (!count) continue;
      const [left, top] = this.toScreen(x, y);
      const text = value.length > 24 ? `${value.slice(0, 23)}…` : value;
      brush.strokeStyle = colours.paper;
      brush.strokeText(text, left, top);
      brush.fillStyle = colours.ink;
      brush.fillText(text, left, top);
    }
  }

  _drawPhotos() {
    if (this.view.zoom < 1.8) return;
    const side = Math.min(34 + 8 * Math.log2(this.view.zoom), 72);
    const level = Math.max(0, Math.floor(Math.log2(this.scale / (side * 1.1))));
    const [left, top, right, bottom] = this.box();
    const { x, y } = this.plan;
    const seen = this.plan.spread(level).filter((i) => x[i] >= left && x[i] <= right && y[i] >= top && y[i] <= bottom);
    for (const row of seen.slice(0, PHOTOS)) this._drawPhoto(row, side, false);
  }

  /** @param {number} row @param {number} high @param {boolean} front */
  _drawPhoto(row, high, front) {
    const image = this._photo(row);
    if (!image) return false;
    const { brush, colours } = this;
    const wide = (high * image.naturalWidth) / image.naturalHeight;
    const [x, y] = this.toScreen(this.plan.x[row], this.plan.y[row]);
    brush.fillStyle = "#ffffff";
    brush.strokeStyle = front ? colours.accent : colours.quiet;
    brush.lineWidth = front ? 2 : 0.5;
    brush.beginPath();
    brush.roundRect(x - wide / 2 - 2, y - high / 2 - 2, wide + 4, high + 4, 5);
    brush.fill();
    brush.drawImage(image, x - wide / 2, y - high / 2, wide, high);
    brush.stroke();
    return true;
  }

  /** A photo that is here; one that is not is sent for. @param {number} row */
  _photo(row) {
    const held = this.photos.get(row);
    if (held) return held.complete && held.naturalWidth ? held : null;
    if (this.onTheWay >= AT_ONCE) return null;
    this.onTheWay += 1;
    const image = new Image();
    image.onload = image.onerror = () => ((this.onTheWay -= 1), this.draw());
    image.src = this.photoOf(row);
    this.photos.set(row, image);
    if (this.photos.size > 800) this.photos.delete(/** @type {number} */ (this.photos.keys().next().value));
    return null;
  }

  /** @param {number} row */
  _drawFront(row) {
    if (!this._drawPhoto(row, 96, true)) this._ring(row, this.colours.ink, 2);
  }

  /** @param {number} row @param {string} colour @param {number} width */
  _ring(row, colour, width) {
    const { brush } = this;
    const [x, y] = this.toScreen(this.plan.x[row], this.plan.y[row]);
    brush.beginPath();
    brush.arc(x, y, 7, 0, 2 * Math.PI);
    brush.lineWidth = width + 2;
    brush.strokeStyle = this.colours.paper;
    brush.stroke();
    brush.lineWidth = width;
    brush.strokeStyle = colour;
    brush.stroke();
  }

  /** @param {[number, number]} at */
  _drawDesign(at) {
    const { brush, colours } = this;
    const [x, y] = this.toScreen(...at);
    brush.beginPath();
    brush.arc(x, y, 15, 0, 2 * Math.PI);
    brush.globalAlpha = 0.22;
    brush.fillStyle = colours.accent;
    brush.fill();
    brush.globalAlpha = 1;
    brush.beginPath();
    brush.arc(x, y, 7, 0, 2 * Math.PI);
    brush.fill();
    brush.lineWidth = 2.5;
    brush.strokeStyle = colours.paper;
    brush.stroke();
  }
}
