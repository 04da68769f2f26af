// The steps of a design as a tree: a change after an undo starts a branch, and the other branch is kept.

const MAX_ENTRIES = 50;
const SAME_MOVE_MS = 1000; // changes by the same control within this time are one entry

/** @typedef {import("../core/store.js").Snapshot} Snapshot */
/** @typedef {{number: number, snapshot: Snapshot, design: string, parent: Entry | null, next: Entry | null, by?: string, timeMs: number}} Entry */

export class HistoryTree {
  constructor() {
    /** @type {Entry[]} oldest first */
    this.entries = [];
    /** @type {Entry | null} */
    this.current = null;
    this._count = 0;
  }

  /**
   * Add a design, or update the current entry if the same control continues its move. Returns the entry that was added
   * or updated; null if the design is already the current one.
   * @param {Snapshot} snapshot @param {string} design its token @param {number} timeMs @param {string} [by] the control
   * @returns {Entry | null}
   */
  add(snapshot, design, timeMs, by) {
    const { current } = this;
    const isSame =
      current?.design === design &&
      current.snapshot.origin === snapshot.origin &&
      current.snapshot.exemplar?.id === snapshot.exemplar?.id;
    if (isSame) return null;
    if (current && by && current.by === by && timeMs - current.timeMs < SAME_MOVE_MS && !current.next) {
      Object.assign(current, {
        snapshot: { ...snapshot, origin: current.snapshot.origin, startCode: current.snapshot.startCode },
        design,
        timeMs,
      });
      return current;
    }
    this._count += 1;
    /** @type {Entry} */
    const entry = { number: this._count, snapshot, design, parent: current, next: null, by, timeMs };
    if (current) current.next = entry;
    this.current = entry;
    this.entries.push(entry);
    if (this.entries.length > MAX_ENTRIES) this._remove(this.entries[0]);
    return entry;
  }

  /** @param {Entry} entry */
  _remove(entry) {
    this.entries = this.entries.filter((each) => each !== entry);
    for (const each of this.entries) {
      if (each.parent === entry) each.parent = entry.parent;
      if (each.next === entry) each.next = entry.next;
    }
  }

  /** @param {Entry} entry */
  goTo(entry) {
    this.current = entry;
    return entry;
  }

  /** Go to the entry before; null if there is none. */
  undo() {
    const parent = this.current?.parent;
    if (!this.current || !parent) return null;
    parent.next = this.current; // so that redo returns to this branch
    return this.goTo(parent);
  }

  /** Go to the entry after; null if there is none. */
  redo() {
    return this.current?.next ? this.goTo(this.current.next) : null;
  }
}
