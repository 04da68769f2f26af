// The state that several parts of the page share, and the events that tell them of changes.

import { renderUrl } from "./api.js";
import { clamp, dequantise, quantise, rangesOf, toText } from "./design-codec.js";
import { byId, debounced } from "./dom.js";

const SETTLE_MS = 150; // after the last move, until results are requested

/** @typedef {{kind: "average" | "product" | "photo" | "link" | "nearby", id?: string, title?: string}} Origin */
/** @typedef {import("./api.js").Exemplar} Exemplar */
/** @typedef {{code: Float32Array, origin: Origin, startCode: Float32Array, exemplar: Exemplar | null | undefined, setLatents: number[]}} Snapshot a state of the design that undo restores */
/** @typedef {{code: Float32Array, title: string, url: string, exemplar?: Exemplar | null, id?: string}} Pin a design at one end of an interpolation */
/** @typedef {{category: string, product: import("./api.js").Product, isKept: boolean}} LookItem */

/**
 * - "code": the design moved (on every move of a slider)
 * - "settled": 150 ms have passed since the last move; results are requested now
 * - "commit": the design is to be added to the history
 * - "origin": the design starts somewhere else (`app.origin`, `app.startCode`)
 * - "exemplar": the design is drawn with other details (`app.exemplar`)
 * - "options": method, scope, metric or filters changed
 * - "results": `app.similar` or `app.look` is new; the detail says which
 * - "focus": another slider has the focus
 * - "locks": a slider was locked or unlocked
 * - "pins": A or B was pinned
 * - "online": the server became reachable or unreachable (`app.online`)
 * - "request-failed": something was not answered; the server may be unreachable
 * - "load-failed": a part of the page could not be loaded
 * - "model-changed": the server has another model now
 * @typedef {"code" | "settled" | "commit" | "origin" | "exemplar" | "options" | "results" | "focus" | "locks" | "pins" | "online" | "request-failed" | "load-failed" | "model-changed"} EventName
 */

export class App {
  /** @param {import("./api.js").Shop} shop @param {import("./api.js").Sliders} sliders */
  constructor(shop, sliders) {
    this.shop = shop;
    this.sliders = sliders;
    this.ranges = rangesOf(sliders.latents);
    /** @type {Float32Array} the design, within the sliders' ranges */
    this.code = clamp(sliders.first.code, this.ranges);
    /** @type {Float32Array} the code that a reset restores */
    this.startCode = this.code;
    /** @type {Origin} */
    this.origin = { kind: "product", id: sliders.first.id, title: sliders.first.title };
    /**
     * The product whose details the design is drawn with; null: none, the decoder alone draws; undefined: it is chosen
     * when the nearest product is known.
     * @type {Exemplar | null | undefined}
     */
    this.exemplar = sliders.first;
    /** @type {Set<number>} the latents that the user has set since the design started: they do not follow others */
    this.setLatents = new Set();
    /**
     * Return a code near real products whose fixed latents, and what it has along the directions, are kept. It returns
     * the code itself until `design/realism.js` has loaded.
     * @type {(code: Float32Array, fixed: number[], directions: number[][]) => Float32Array}
     */
    this.follow = (code) => code;
    /** @type {Set<number>} locked latents: only their own slider moves them */
    this.locks = new Set();
    /** @type {number | null} the latent whose slider has the focus */
    this.focus = null;
    this.options = {
      method: "likelihood",
      scope: "cluster",
      metric: "euclidean",
      where: /** @type {import("./api.js").Filters} */ ({}),
    };
    /** @type {{a: Pin | null, b: Pin | null}} */
    this.pins = { a: null, b: null };
    /** @type {import("./api.js").SimilarResult | null} the latest result */
    this.similar = null;
    /** @type {LookItem[]} the chosen product of each other category */
    this.look = [];
    this.online = true;
    /** @type {Map<EventName, Set<(detail?: any) => void>>} */
    this._listeners = new Map();
    this._settle = debounced(() => this.emit("settled"), SETTLE_MS);
  }

  /** @param {EventName} event @param {(detail?: any) => void} listener */
  on(event, listener) {
    const listeners = this._listeners.get(event) ?? new Set();
    this._listeners.set(event, listeners.add(listener));
  }

  /** @param {EventName} event @param {any} [detail] */
  emit(event, detail) {
    for (const listener of this._listeners.get(event) ?? []) listener(detail);
  }

  /**
   * Move the design. With `commit` (the default) the move is added to the history; during a drag it is not.
   * With an `origin` the design starts there; locked latents keep their values. With an `exemplar`, also null, it is
   * drawn with other details.
   * @param {ArrayLike<number>} code
   * @param {{origin?: Origin, exemplar?: Exemplar | null, commit?: boolean, by?: string}} [how] `by` names the control
   */
  setCode(code, { origin, exemplar, commit = true, by } = {}) {
    this.code = clamp(origin ? this.withLocks(code) : code, this.ranges);
    if (origin) {
      if (exemplar === undefined) this.exemplar = undefined;
      this.origin = origin;
      this.startCode = this.code;
      this.setLatents = new Set();
      this.emit("origin");
    }
    if (exemplar !== undefined) {
      this.exemplar = exemplar;
      this.emit("exemplar");
    }
    this.emit("code");
    this._settle();
    if (commit) this.commit(by);
  }

  /**
   * Set a latent, as its slider does. The latents that are not set or locked follow.
   * @param {number} latent @param {number} value @param {{commit?: boolean, by?: string}} [how] as of `setCode`
   */
  setLatent(latent, value, how) {
    this.setLatents.add(latent);
    this.setCode(this.withLatent(latent, value), how);
  }

  /** Return the code with a latent set; the latents that are not set or locked follow. @param {number} latent @param {number} value */
  withLatent(latent, value) {
    const code = this.code.slice();
    code[latent] = value;
    return this.follow(code, [...new Set([...this.setLatents, ...this.locks, latent])], []);
  }

  /**
   * Move along a direction, as an attribute slider does. The latents that are not locked follow.
   * @param {Float32Array} code the design after the move @param {number[]} direction
   * @param {{commit?: boolean, by?: string}} [how] as of `setCode`
   */
  setAlong(code, direction, how) {
    this.setCode(this.follow(code, [...this.locks], [direction]), how);
  }

  /** Add the design to the history; consecutive moves of one control are one entry. @param {string} [by] */
  commit(by) {
    this.emit("commit", by);
  }

  /** @param {Snapshot} snapshot */
  restore({ code, origin, startCode, exemplar, setLatents }) {
    this.setLatents = new Set(setLatents);
    this.origin = origin;
    this.startCode = startCode;
    this.emit("origin");
    this.setCode(code, { exemplar, commit: false });
  }

  /** Return a code with the present values of the locked latents. @param {ArrayLike<number>} code */
  withLocks(code) {
    return Float32Array.from(this.ranges, (_, i) => (this.locks.has(i) ? this.code[i] : code[i]));
  }

  /** @param {number} latent */
  toggleLock(latent) {
    if (!this.locks.delete(latent)) this.locks.add(latent);
    this.emit("locks");
  }

  /** @param {Partial<App["options"]>} options */
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

  /** The design as links and picture URLs hold it. */
  designToken(code = this.code) {
    return toText(quantise(code, this.ranges));
  }

  /** The code of the picture: rounded to the slider positions that a byte can hold. */
  roundedCode(code = this.code) {
    return Array.from(dequantise(quantise(code, this.ranges), this.ranges));
  }

  /** The URL of a design's picture. */
  renderUrl(
    code = this.code,
    exemplar = this.exemplar,
    /** @type {{exemplar: Exemplar, share: number} | undefined} */ second = undefined,
  ) {
    return renderUrl(this.sliders.renderId, this.designToken(code), exemplar, second);
  }

  /** Announce a text to screen readers. @param {string} text */
  announce(text) {
    byId("live").textContent = text;
  }
}
