// The positions of all products on the map, and queries on them: nearest, next in a direction, in view, a sample for a zoom level.

/** @typedef {{name: string, values: string[], colours: (string | null)[], of: number[]}} Colouring `of` is the index of each product's value, or −1 */

// OKLCH hues that are easy to tell apart
const HUES = [255, 50, 150, 340, 105, 295, 200, 20];
const GOLDEN_ANGLE = 137.5; // degrees: spreads further hues evenly

export class MapLayout {
  /** @param {import("../core/api.js").CatalogueMap} response */
  constructor({ ids, x, y, categories, category, attributes = {} }) {
    this.ids = ids;
    this.x = Float32Array.from(x);
    this.y = Float32Array.from(y);
    this.count = ids.length;
    this.indexOf = new Map(ids.map((id, i) => [id, i]));
    /** @type {Colouring[]} category first */
    this.colourings = [
      { name: "category", values: categories, colours: categories.map(() => null), of: category },
      ...Object.entries(attributes).map(([name, attribute]) => ({ name, ...attribute })),
    ];
    /** @type {Uint8Array} 1 where a product passes the filters */
    this.passes = new Uint8Array(this.count).fill(1);
    /** @type {Map<number, number[]>} by level */
    this._samples = new Map();
    /** @type {Map<Colouring, ReturnType<MapLayout["_computeCentres"]>>} */
    this._centres = new Map();
  }

  /**
   * Apply filters. Those of attributes that the map does not have are ignored.
   * @param {import("../core/api.js").Filters} where @returns {boolean} whether all were applied
   */
  filter(where) {
    this.passes.fill(1);
    this._samples.clear();
    this._centres.clear();
    let allApplied = true;
    for (const [name, filter] of Object.entries(where)) {
      const colouring = this.colourings.find((each) => each.name === name);
      if (!colouring || !Array.isArray(filter)) {
        allApplied = false;
        continue;
      }
      const isWanted = colouring.values.map((value) => filter.includes(value));
      for (let i = 0; i < this.count; i++) if (!isWanted[colouring.of[i]]) this.passes[i] = 0;
    }
    return allApplied;
  }

  /** Return the product nearest to a point, −1 if none is within the radius. @param {number} x @param {number} y @param {number} [radius] */
  nearest(x, y, radius = Infinity) {
    let nearest = -1;
    let least = radius * radius;
    for (let i = 0; i < this.count; i++) {
      if (!this.passes[i]) continue;
      const squared = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
      if (squared < least) [nearest, least] = [i, squared];
    }
    return nearest;
  }

  /**
   * Return the next product in a direction, at most 45° aside; −1 if there is none.
   * @param {number} from index of a product @param {number} dx @param {number} dy @param {number} minDistance
   */
  nextTowards(from, dx, dy, minDistance) {
    let next = -1;
    let least = Infinity;
    for (let i = 0; i < this.count; i++) {
      if (!this.passes[i] || i === from) continue;
      const [x, y] = [this.x[i] - this.x[from], this.y[i] - this.y[from]];
      const along = x * dx + y * dy;
      const aside = Math.abs(x * dy - y * dx);
      if (along < minDistance || aside > along) continue;
      if (along + 2 * aside < least) [next, least] = [i, along + 2 * aside];
    }
    return next;
  }

  /** Return the products in a rectangle, nearest to its centre first. @param {number[]} box left, top, right, bottom */
  within([left, top, right, bottom]) {
    const inside = [];
    for (let i = 0; i < this.count; i++) {
      const isInside = this.x[i] >= left && this.x[i] <= right && this.y[i] >= top && this.y[i] <= bottom;
      if (this.passes[i] && isInside) inside.push(i);
    }
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    const squared = (/** @type {number} */ i) => (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
    return inside.sort((a, b) => squared(a) - squared(b));
  }

  /**
   * Return one product for each cell of a grid of 2^level by 2^level cells. It does not depend on the view, so that
   * photos do not change while the map moves.
   * @param {number} level @returns {number[]}
   */
  sample(level) {
    const cached = this._samples.get(level);
    if (cached) return cached;
    const cells = 2 ** level;
    /** @type {Map<number, {index: number, squared: number}>} the product nearest to the centre of each cell */
    const nearest = new Map();
    for (let i = 0; i < this.count; i++) {
      if (!this.passes[i]) continue;
      const [column, row] = [Math.floor(this.x[i] * cells), Math.floor(this.y[i] * cells)];
      const squared = (this.x[i] * cells - column - 0.5) ** 2 + (this.y[i] * cells - row - 0.5) ** 2;
      const cell = row * (cells + 1) + column;
      if (squared < (nearest.get(cell)?.squared ?? Infinity)) nearest.set(cell, { index: i, squared });
    }
    const sample = [...nearest.values()].map(({ index }) => index);
    this._samples.set(level, sample);
    return sample;
  }

  /** Return the centre of each value of a colouring, for its label. @param {Colouring} colouring */
  centres(colouring) {
    const centres = this._centres.get(colouring) ?? this._computeCentres(colouring);
    this._centres.set(colouring, centres);
    return centres;
  }

  /** @param {Colouring} colouring */
  _computeCentres(colouring) {
    return colouring.values.map((value, number) => {
      /** @type {number[]} */
      const members = [];
      for (let i = 0; i < this.count; i++) {
        if (colouring.of[i] === number && this.passes[i]) members.push(i);
      }
      const median = (/** @type {Float32Array} */ axis) =>
        members.map((i) => axis[i]).sort((a, b) => a - b)[members.length >> 1];
      return { value, x: median(this.x), y: median(this.y), count: members.length };
    });
  }
}

/** Return the CSS colour of a value: its own, or one that differs from the others'. @param {Colouring} colouring @param {number} number @param {boolean} isDark */
export function colourOf(colouring, number, isDark) {
  const own = colouring.colours[number];
  if (own) return own;
  const isNamed = number < HUES.length;
  const hue = isNamed ? HUES[number] : (number * GOLDEN_ANGLE) % 360;
  return `oklch(${isDark ? 74 : 56}% ${isNamed ? 0.13 : 0.09} ${hue})`;
}
