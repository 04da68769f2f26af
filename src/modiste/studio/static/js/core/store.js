// The design and everything around it that more than one part of the page looks at; parts listen, nobody polls.

import { clamp, dequantise, quantise, rangesOf, toText } from "./design-codec.js";
import { byId, debounced } from "./dom.js";

const SETTLED = 150; // milliseconds after the last move before results are asked for

/** @typedef {{kind: "average"|"product"|"photo"|"link"|"nearby", id?: string, title?: string, url?: string}} Origin */
/** @typedef {{code: Float32Array, origin: Origin, start: Float32Array}} Moment what undo goes back to */

/**
 * What the parts of the page share. Events:
 *   "code"     the design moved (every move of a slider)          "settle"  150 ms after the last move: ask for results
 *   "options"  method, scope, metric or filters changed           "results" `app.similar` or `app.goesWith` is new
 *   "focus"    another slider is in focus                         "locks"   a slider was locked or freed
 *   "history"  an entry was added, undone or redone               "pins"    A or B was pinned
 *   "online"   the server came or went (`app.online`)             "commit"  the design is worth an entry of the history
 *   "origin"   the design began somewhere else (`app.origin`, `app.start`)
 *   "suspect"  something was not answered: the server may be gone "broken"  a part of the page could not be had
 *   "changed"  the server has another model now                   "theme"   light, dark or as the system
 */
export class App {
  /** @param {any} shop GET /v1/shop @param {any} sliders GET /v1/sliders */
  constructor(shop, sliders) {
    this.shop = shop;
    this.sliders = sliders;
    this.ranges = rangesOf(sliders.latents);
    /** @type {Float32Array} the design, within the sliders' ranges */
    this.code = clamp(sliders.first.code, this.ranges);
    /** @type {Float32Array} where the design began: what a reset goes back to */
    this.start = this.code;
    /** @type {Origin} in words, where it began */
    this.origin = { kind: "product", id: sliders.first.id, title: sliders.first.title };
    /** @type {Set<number>} the latents that only the hand on their slider moves */
    this.locks = new Set();
    /** @type {number | null} the latent whose slider is in focus */
    this.focus = null;
    this.options = { method: "likelihood", scope: "cluster", metric: "euclidean", where: {} };
    /** @type {{a: any, b: any}} pinned ends: {code, title, url} */
    this.pins = { a: null, b: null };
    /** @type {any} the last answer of POST /v1/similar and /v1/recommend */
    this.similar = null;
    this.goesWith = null;
    this.online = true;
    this._listeners = new Map();
    this._settled = debounced(() => this.emit("settle"), SETTLED);
  }

  /** @param {string} event @param {(detail?: any) => void} listener */
  on(event, listener) {
    if (!this._listeners.has(event)) this._listeners.set(event, new Set());
    this._listeners.get(event).add(listener);
  }

  /** @param {string} event @param {any} [detail] */
  emit(event, detail) {
    for (const listener of this._listeners.get(event) ?? []) listener(detail);
  }

  /**
   * Move the design. With `commit` (the default) the move is an entry of the history; while a slider is dragged it is not.
   * With an `origin` the design begins anew there; locked latents stay where they are.
   * @param {ArrayLike<number>} code @param {{origin?: Origin, commit?: boolean, by?: string}} [how]
   */
  setCode(code, { origin, commit = true, by } = {}) {
    this.code = clamp(origin ? this.held(code) : code, this.ranges);
    if (origin) {
      this.origin = origin;
      this.start = this.code;
      this.emit("origin");
    }
    this.emit("code");
    this._settled();
    if (commit) this.commit(by);
  }

  /** Make what the design is now an entry of the history; moves by the same hand in a row are one. @param {string} [by] */
  commit(by) {
    this.emit("commit", by);
  }

  /** Go back to a moment of the history. @param {Moment} moment */
  restore({ code, origin, start }) {
    this.origin = origin;
    this.start = start;
    this.emit("origin");
    this.setCode(code, { commit: false });
  }

  /** A code with the locked latents as they are now. @param {ArrayLike<number>} code */
  held(code) {
    return Float32Array.from(this.ranges, (_, i) => (this.locks.has(i) ? this.code[i] : code[i]));
  }

  /** @param {number} latent @param {boolean} [on] */
  lock(latent, on = !this.locks.has(latent)) {
    if (on) this.locks.add(latent);
    else this.locks.delete(latent);
    this.emit("locks", latent);
  }

  /** @param {Partial<{method: string, scope: string, metric: string, where: object}>} options */
  setOptions(options) {
    Object.assign(this.options, options);
    this.emit("options");
  }

  /** @param {number | null} latent */
  setFocus(latent) {
    if (this.focus === latent) return;
    this.focus = latent;
    this.emit("focus");
  }

  /** The design as links and frames hold it. */
  z(code = this.code) {
    return toText(quantise(code, this.ranges));
  }

  /** The design as the server is asked about it: what the frame shows, to the byte. @returns {number[]} */
  asked(code = this.code) {
    return Array.from(dequantise(quantise(code, this.ranges), this.ranges));
  }

  /** The address of a design's picture. */
  frameUrl(code = this.code) {
    return `/v1/frame.jpg?m=${encodeURIComponent(this.sliders.frames)}&z=${this.z(code)}`;
  }

  /** Say something to those who cannot see it, politely. @param {string} text */
  announce(text) {
    byId("live").textContent = text;
  }
}
