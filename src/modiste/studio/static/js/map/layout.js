// Where every product lies, and questions about it: what is near a point, what lies in a direction, what to show at a zoom.

/** @typedef {{name: string, values: string[], colours: (string | null)[], of: number[]}} Colouring */

const HUES = [255, 50, 150, 340, 105, 295, 200, 20];

export class Plan {
  /** @param {any} answer GET /v1/map */
  constructor(answer) {
    this.ids = answer.ids;
    this.x = Float32Array.from(answer.x);
    this.y = Float32Array.from(answer.y);
    this.count = this.ids.length;
    this.place = new Map(answer.ids.map((/** @type {string} */ id, /** @type {number} */ i) => [id, i]));
    /** @type {Colouring[]} category first */
    this.colourings = [{ name: "category", values: answer.categories, colours: answer.categories.map(() => null), of: answer.category }];
    for (const [name, held] of Object.entries(answer.attributes ?? {})) this.colourings.push({ name, .../** @type {any} */ (held) });
    /** @type {Uint8Array} 1 where a product passes the filters */
    this.passes = new Uint8Array(this.count).fill(1);
    this._shown = new Map();
    this._middles = new Map();
  }

  /** Let through what fits; filters by attributes that the map does not know are left out. @param {Record<string, any>} where @returns {boolean} whether all were known */
  filter(where) {
    this.passes.fill(1);
    this._shown.clear();
    this._middles.clear();
    let all = true;
    for (const [name, asked] of Object.entries(where)) {
      const known = this.colourings.find((each) => each.name === name);
      if (!known || !Array.isArray(asked)) {
        all = false;
        continue;
      }
      const wanted = known.values.map((value) => asked.includes(value));
      for (let i = 0; i < this.count; i++) if (!wanted[known.of[i]]) this.passes[i] = 0;
    }
    return all;
  }

  /** The product nearest to a point, within a reach; −1 if there is none. @param {number} x @param {number} y @param {number} [reach] */
  nearest(x, y, reach = Infinity) {
    let found = -1;
    let least = reach * reach;
    for (let i = 0; i < this.count; i++) {
      if (!this.passes[i]) continue;
      const far = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
      if (far < least) [found, least] = [i, far];
    }
    return found;
  }

  /** The next product from `from` in a direction, at least `step` away; −1 if there is none. @param {number} from @param {number} dx @param {number} dy @param {number} step */
  towards(from, dx, dy, step) {
    let found = -1;
    let least = Infinity;
    for (let i = 0; i < this.count; i++) {
      if (!this.passes[i] || i === from) continue;
      const along = (this.x[i] - this.x[from]) * dx + (this.y[i] - this.y[from]) * dy;
      const aside = Math.abs((this.x[i] - this.x[from]) * dy - (this.y[i] - this.y[from]) * dx);
      if (along < step || aside > along) continue;
      if (along + 2 * aside < least) [found, least] = [i, along + 2 * aside];
    }
    return found;
  }

  /** The products within a rectangle, nearest to its middle first. @param {number[]} box left, top, right, bottom */
  within([left, top, right, bottom]) {
    const inside = [];
    for (let i = 0; i < this.count; i++) if (this.passes[i] && this.x[i] >= left && this.x[i] <= right && this.y[i] >= top && this.y[i] <= bottom) inside.push(i);
    const far = (/** @type {number} */ i) => (this.x[i] - (left + right) / 2) ** 2 + (this.y[i] - (top + bottom) / 2) ** 2;
    return inside.sort((a, b) => far(a) - far(b));
  }

  /**
   * One product for each cell of a grid of 2^level cells a side, the same ones however the map is moved.
   * @param {number} level @returns {number[]}
   */
  spread(level) {
    let chosen = this._shown.get(level);
    if (!chosen) {
      const cells = 2 ** level;
      const first = new Map();
      const away = new Map();
      for (let i = 0; i < this.count; i++) {
        if (!this.passes[i]) continue;
        const [column, row] = [Math.floor(this.x[i] * cells), Math.floor(this.y[i] * cells)];
        const cell = row * (cells + 1) + column;
        const far = (this.x[i] * cells - column - 0.5) ** 2 + (this.y[i] * cells - row - 0.5) ** 2;
        if (far < (away.get(cell) ?? Infinity)) {
          first.set(cell, i);
          away.set(cell, far);
        }
      }
      this._shown.set(level, (chosen = [...first.values()]));
    }
    return chosen;
  }

  /** The middle of each value of a colouring, for its label. @param {Colouring} colouring */
  middles(colouring) {
    let held = this._middles.get(colouring);
    if (!held) this._middles.set(colouring, (held = this._measure(colouring)));
    return held;
  }

  /** @param {Colouring} colouring */
  _measure(colouring) {
    return colouring.values.map((value, number) => {
      const rows = [];
      for (let i = 0; i < this.count; i++) if (colouring.of[i] === number && this.passes[i]) rows.push(i);
      const median = (/** @type {Float32Array} */ axis) => rows.map((i) => axis[i]).sort((a, b) => a - b)[rows.length >> 1];
      return { value, x: median(this.x), y: median(this.y), count: rows.length };
    });
  }
}

/** The colour of a value: its own, or one of a set that tells them apart. @param {Colouring} colouring @param {number} number @param {boolean} dark */
export function colourOf(colouring, number, dark) {
  const own = colouring.colours[number];
  if (own) return own;
  const hue = number < HUES.length ? HUES[number] : (number * 137.5) % 360;
  return `oklch(${dark ? 74 : 56}% ${number < HUES.length ? 0.13 : 0.09} ${hue})`;
}
