// Draws the map. The points are drawn on a layer of their own, which is only shifted and scaled while the map moves quickly.

import { shorten } from "../core/strings.js";
import { colourOf } from "./layout.js";

const MAX_PHOTOS = 80; // drawn at once
const CACHED_PHOTOS = 800;
const MAX_LOADING = 6; // photos at once
const MARGIN = 0.25; // of the layer beyond each side of the view
const FAST_DRAW_MS = 6; // a layer that is drawn faster is drawn again for every frame of a move
const REDRAW_DELAY_MS = 90; // after the last frame of a move
const MAX_ZOOM = 80;
const PHOTO_ZOOM = 1.8; // from which photos are drawn
const LABEL_ZOOM = 2.5; // up to which labels are drawn
const FRONT_PHOTO_PX = 96;

/** @typedef {import("./layout.js").MapLayout} MapLayout */
/** @typedef {{x: number, y: number, zoom: number}} View the point in the middle, and the zoom; 1 shows the whole map */

/** @param {number} value @param {number} low @param {number} high */
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export class MapCanvas {
  /** @param {HTMLCanvasElement} canvas @param {MapLayout} layout @param {(product: number) => string} photoUrl */
  constructor(canvas, layout, photoUrl) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.layout = layout;
    this.photoUrl = photoUrl;
    /** @type {View} */
    this.view = { x: 0.5, y: 0.5, zoom: 1 };
    this.size = { width: 0, height: 0, pixelRatio: 1 };
    this.layer = document.createElement("canvas");
    /** @type {View | null} what the layer shows */
    this.layerView = null;
    this.layerMs = 0; // how long it took to draw
    /** @type {Map<number, HTMLImageElement>} */
    this.photos = new Map();
    this.loading = 0; // photos
    this.colouring = layout.colourings[0];
    /** @type {Set<number>} products with a ring */
    this.ringed = new Set();
    /** @type {[x: number, y: number] | null} */
    this.design = null;
    this.hovered = -1;
    this.focused = -1;
    this.colours = { paper: "#fff", ink: "#000", quiet: "#888", accent: "#800", isDark: false };
    this._frame = 0;
    this._redrawTimer = 0;
  }

  /** CSS pixels of the whole map's width, at the present zoom. */
  get scale() {
    return Math.min(this.size.width, this.size.height) * 0.92 * this.view.zoom;
  }

  /** @param {number} x @param {number} y @returns {[left: number, top: number]} */
  toScreen(x, y) {
    const left = (x - this.view.x) * this.scale + this.size.width / 2;
    const top = (y - this.view.y) * this.scale + this.size.height / 2;
    return [left, top];
  }

  /** @param {number} left @param {number} top @returns {[x: number, y: number]} */
  toWorld(left, top) {
    const x = (left - this.size.width / 2) / this.scale + this.view.x;
    const y = (top - this.size.height / 2) / this.scale + this.view.y;
    return [x, y];
  }

  /** The part of the map in view: left, top, right, bottom. */
  box() {
    return [...this.toWorld(0, 0), ...this.toWorld(this.size.width, this.size.height)];
  }

  /** Move a point to the middle; the middle stays on the map. @param {number} x @param {number} y @param {number} [zoom] */
  moveTo(x, y, zoom = this.view.zoom) {
    this.view = { x: clamp(x, 0, 1), y: clamp(y, 0, 1), zoom: clamp(zoom, 1, MAX_ZOOM) };
    this.draw();
  }

  showAll() {
    this.moveTo(0.5, 0.5, 1);
  }

  /** Zoom at a point of the screen. @param {number} factor @param {number} [left] @param {number} [top] */
  zoomBy(factor, left = this.size.width / 2, top = this.size.height / 2) {
    const [x, y] = this.toWorld(left, top);
    const zoom = clamp(this.view.zoom * factor, 1, MAX_ZOOM);
    const change = this.view.zoom / zoom;
    if (zoom === 1) this.showAll();
    else this.moveTo(x + (this.view.x - x) * change, y + (this.view.y - y) * change, zoom);
  }

  /** @param {number} width @param {number} height in CSS pixels */
  resize(width, height) {
    const pixelRatio = Math.min(devicePixelRatio || 1, 2);
    this.size = { width, height, pixelRatio };
    this.canvas.width = Math.round(width * pixelRatio);
    this.canvas.height = Math.round(height * pixelRatio);
    this.layer.width = Math.round(this.canvas.width * (1 + 2 * MARGIN));
    this.layer.height = Math.round(this.canvas.height * (1 + 2 * MARGIN));
    this.redraw();
  }

  /** Draw the points again: their colours, the filters or the size changed. */
  redraw() {
    this.layerView = null;
    this.draw();
  }

  /** Draw with the next frame. */
  draw() {
    if (this._frame) return;
    this._frame = requestAnimationFrame(() => {
      this._frame = 0;
      this._draw();
    });
  }

  _draw() {
    const { context, size, view, layerView } = this;
    if (!size.width) return;
    const isMoved =
      layerView && (layerView.x !== view.x || layerView.y !== view.y || layerView.zoom !== view.zoom);
    if (!layerView || (isMoved && this.layerMs < FAST_DRAW_MS)) {
      this._drawLayer();
    } else if (isMoved) {
      clearTimeout(this._redrawTimer);
      this._redrawTimer = window.setTimeout(() => this.redraw(), REDRAW_DELAY_MS);
    }
    context.setTransform(size.pixelRatio, 0, 0, size.pixelRatio, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    this._copyLayer(this.layerView ?? view);
    this._drawLabels();
    this._drawPhotos();
    for (const product of this.ringed) this._drawRing(product, this.colours.accent);
    if (this.design) this._drawDesign(this.design);
    for (const product of new Set([this.focused, this.hovered])) {
      if (product >= 0) this._drawInFront(product);
    }
  }

  /** Copy the layer to the place and size of the present view. @param {View} layerView */
  _copyLayer(layerView) {
    const { context, size, view } = this;
    const growth = view.zoom / layerView.zoom;
    const left = size.width / 2 + (layerView.x - view.x) * this.scale;
    const top = size.height / 2 + (layerView.y - view.y) * this.scale;
    const width = size.width * (1 + 2 * MARGIN) * growth;
    const height = size.height * (1 + 2 * MARGIN) * growth;
    context.drawImage(this.layer, left - width / 2, top - height / 2, width, height);
  }

  _drawLayer() {
    const start = performance.now();
    const { layout, size, colouring, colours } = this;
    const context = /** @type {CanvasRenderingContext2D} */ (this.layer.getContext("2d"));
    context.setTransform(size.pixelRatio, 0, 0, size.pixelRatio, 0, 0);
    const [width, height] = [size.width * (1 + 2 * MARGIN), size.height * (1 + 2 * MARGIN)];
    context.clearRect(0, 0, width, height);
    const radius = Math.min(1.5 * Math.sqrt(this.view.zoom) * (layout.count < 1000 ? 2 : 1), 6);
    // The groups of points: one for each value, one for unknown values, one for products that the filters exclude.
    const unknown = colouring.values.length;
    const excluded = unknown + 1;
    /** @type {number[][]} */
    const groups = Array.from({ length: excluded + 1 }, () => []);
    for (let i = 0; i < layout.count; i++) {
      const group = !layout.passes[i] ? excluded : colouring.of[i] < 0 ? unknown : colouring.of[i];
      groups[group].push(i);
    }
    for (const group of [excluded, unknown, ...Array(unknown).keys()]) {
      context.fillStyle = group >= unknown ? colours.quiet : colourOf(colouring, group, colours.isDark);
      context.globalAlpha = group === excluded ? 0.14 : group === unknown ? 0.35 : 0.85;
      context.beginPath();
      for (const i of groups[group]) {
        const left = (layout.x[i] - this.view.x) * this.scale + width / 2;
        const top = (layout.y[i] - this.view.y) * this.scale + height / 2;
        if (left < -radius || top < -radius || left > width + radius || top > height + radius) continue;
        if (radius < 2) {
          context.rect(left - radius, top - radius, 2 * radius, 2 * radius);
        } else {
          context.moveTo(left + radius, top);
          context.arc(left, top, radius, 0, 2 * Math.PI);
        }
      }
      context.fill();
      if (group < unknown && colouring.colours[group]) {
        // An outline, so that white or black points are visible on paper of the same colour.
        context.globalAlpha = 0.45;
        context.lineWidth = 0.6;
        context.strokeStyle = colours.quiet;
        context.stroke();
      }
    }
    context.globalAlpha = 1;
    this.layerView = { ...this.view };
    this.layerMs = performance.now() - start;
  }

  _drawLabels() {
    if (this.view.zoom > LABEL_ZOOM || this.colouring.name !== "category") return;
    const { context, colours } = this;
    context.font = '600 16px "Iowan Old Style", "Palatino Linotype", Palatino, Georgia, serif';
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineWidth = 5;
    context.lineJoin = "round";
    for (const { value, x, y, count } of this.layout.centres(this.colouring)) {
      if (!count) continue;
      const text = shorten(value, 24);
      const halfWidth = context.measureText(text).width / 2 + context.lineWidth;
      const [left, top] = this.toScreen(x, y);
      // A label near an edge is moved into view, so that its text is not cut off.
      const inView = left >= 0 && left <= this.size.width;
      const middle = inView ? clamp(left, halfWidth, Math.max(this.size.width - halfWidth, halfWidth)) : left;
      context.strokeStyle = colours.paper;
      context.strokeText(text, middle, top);
      context.fillStyle = colours.ink;
      context.fillText(text, middle, top);
    }
  }

  _drawPhotos() {
    if (this.view.zoom < PHOTO_ZOOM) return;
    const height = Math.min(34 + 8 * Math.log2(this.view.zoom), 72);
    const level = Math.max(0, Math.floor(Math.log2(this.scale / (height * 1.1))));
    const [left, top, right, bottom] = this.box();
    const { x, y } = this.layout;
    const visible = this.layout
      .sample(level)
      .filter((i) => x[i] >= left && x[i] <= right && y[i] >= top && y[i] <= bottom);
    for (const product of visible.slice(0, MAX_PHOTOS)) this._drawPhoto(product, height, false);
  }

  /** Draw a product's photo; false if it is not loaded yet. @param {number} product @param {number} height @param {boolean} isFront */
  _drawPhoto(product, height, isFront) {
    const image = this._photo(product);
    if (!image) return false;
    const { context, colours } = this;
    const width = (height * image.naturalWidth) / image.naturalHeight;
    const [x, y] = this.toScreen(this.layout.x[product], this.layout.y[product]);
    context.fillStyle = "#ffffff";
    context.strokeStyle = isFront ? colours.accent : colours.quiet;
    context.lineWidth = isFront ? 2 : 0.5;
    context.beginPath();
    context.roundRect(x - width / 2 - 2, y - height / 2 - 2, width + 4, height + 4, 5);
    context.fill();
    context.drawImage(image, x - width / 2, y - height / 2, width, height);
    context.stroke();
    return true;
  }

  /** Return a photo if it is loaded; otherwise start to load it. @param {number} product */
  _photo(product) {
    const cached = this.photos.get(product);
    if (cached) return cached.complete && cached.naturalWidth ? cached : null;
    if (this.loading >= MAX_LOADING) return null;
    this.loading += 1;
    const image = new Image();
    image.onload = image.onerror = () => {
      this.loading -= 1;
      this.draw();
    };
    image.src = this.photoUrl(product);
    this.photos.set(product, image);
    if (this.photos.size > CACHED_PHOTOS) {
      this.photos.delete(/** @type {number} */ (this.photos.keys().next().value));
    }
    return null;
  }

  /** @param {number} product */
  _drawInFront(product) {
    if (!this._drawPhoto(product, FRONT_PHOTO_PX, true)) this._drawRing(product, this.colours.ink);
  }

  /** @param {number} product @param {string} colour */
  _drawRing(product, colour) {
    const { context } = this;
    const [x, y] = this.toScreen(this.layout.x[product], this.layout.y[product]);
    context.beginPath();
    context.arc(x, y, 7, 0, 2 * Math.PI);
    context.lineWidth = 4;
    context.strokeStyle = this.colours.paper;
    context.stroke();
    context.lineWidth = 2;
    context.strokeStyle = colour;
    context.stroke();
  }

  /** @param {[x: number, y: number]} position */
  _drawDesign(position) {
    const { context, colours } = this;
    const [x, y] = this.toScreen(...position);
    context.beginPath();
    context.arc(x, y, 15, 0, 2 * Math.PI);
    context.globalAlpha = 0.22;
    context.fillStyle = colours.accent;
    context.fill();
    context.globalAlpha = 1;
    context.beginPath();
    context.arc(x, y, 7, 0, 2 * Math.PI);
    context.fill();
    context.lineWidth = 2.5;
    context.strokeStyle = colours.paper;
    context.stroke();
  }
}
