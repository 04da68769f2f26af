import assert from "node:assert/strict";
import { test } from "node:test";
import { HistoryTree } from "#page/design/history-tree.js";

const origin = { kind: "product" };
const snapshot = (value) => ({ code: Float32Array.of(value), origin, startCode: Float32Array.of(0) });

/** Add designs "1", "2", … one minute apart. */
function filled(count) {
  const tree = new HistoryTree();
  for (let i = 1; i <= count; i++) tree.add(snapshot(i), String(i), 60_000 * i);
  return tree;
}

test("undo and redo go along the steps, and stop at the ends", () => {
  const tree = filled(3);
  assert.equal(tree.undo().design, "2");
  assert.equal(tree.undo().design, "1");
  assert.equal(tree.undo(), null);
  assert.equal(tree.redo().design, "2");
  assert.equal(tree.redo().design, "3");
  assert.equal(tree.redo(), null);
});

test("a change after an undo starts a branch, and the other branch is kept", () => {
  const tree = filled(3);
  tree.undo();
  tree.undo();
  tree.add(snapshot(9), "9", 1e6);
  assert.deepEqual(
    tree.entries.map(({ design }) => design),
    ["1", "2", "3", "9"],
  );
  assert.equal(tree.redo(), null);
  tree.goTo(tree.entries[2]);
  assert.equal(tree.undo().design, "2");
  assert.equal(tree.undo().design, "1");
  assert.equal(tree.redo().design, "2", "redo returns to the branch that undo left");
});

test("the same design is not added twice, unless it starts somewhere else", () => {
  const tree = filled(1);
  assert.equal(tree.add(snapshot(1), "1", 1e6), null);
  assert.ok(tree.add({ ...snapshot(1), origin: { kind: "link" } }, "1", 1e6));
  assert.equal(tree.entries.length, 2);
});

test("changes by one control within a second are one entry", () => {
  const tree = new HistoryTree();
  tree.add(snapshot(1), "1", 0, "latent 0");
  const updated = tree.add(snapshot(2), "2", 900, "latent 0");
  assert.equal(updated, tree.current);
  assert.equal(tree.entries.length, 1);
  assert.deepEqual([...tree.current.snapshot.code], [2]);
  tree.add(snapshot(3), "3", 1900, "latent 0");
  tree.add(snapshot(4), "4", 1950, "latent 1");
  assert.deepEqual(
    tree.entries.map(({ design }) => design),
    ["2", "3", "4"],
  );
});

test("after an undo, the next change of the same control is a new entry", () => {
  const tree = new HistoryTree();
  tree.add(snapshot(1), "1", 0, "a");
  tree.add(snapshot(2), "2", 5000, "b");
  tree.undo();
  tree.add(snapshot(3), "3", 5100, "a");
  assert.deepEqual(
    tree.entries.map(({ design }) => design),
    ["1", "2", "3"],
  );
});

test("only the 50 newest entries are kept, and undo skips the others", () => {
  const tree = filled(53);
  assert.equal(tree.entries.length, 50);
  assert.equal(tree.entries[0].design, "4");
  while (tree.undo());
  assert.equal(tree.current.design, "4");
});
