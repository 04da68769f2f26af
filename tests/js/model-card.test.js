import assert from "node:assert/strict";
import { test } from "node:test";
import { blocksOf } from "#page/model-card.js";

test("the front matter is left out", () => {
  assert.deepEqual(blocksOf("---\nlicense: x\n---\n# Title"), [{ kind: "heading", level: 1, text: "Title" }]);
});

test("a heading directly above a paragraph is a block of its own", () => {
  assert.deepEqual(blocksOf("## Use\nFor shops\nof all kinds."), [
    { kind: "heading", level: 2, text: "Use" },
    { kind: "paragraph", text: "For shops of all kinds." },
  ]);
});

test("a list joins the lines of an item", () => {
  assert.deepEqual(blocksOf("- one\n  more\n* two"), [{ kind: "list", items: ["one more", "two"] }]);
});

test("a table loses its rule", () => {
  assert.deepEqual(blocksOf("| a | b |\n|---|--:|\n| 1 | 2 |"), [
    { kind: "table", head: ["a", "b"], rows: [["1", "2"]] },
  ]);
});

test("code keeps its empty lines", () => {
  assert.deepEqual(blocksOf("Text\n\n```py\na\n\n# b\n```\n\nmore"), [
    { kind: "paragraph", text: "Text" },
    { kind: "code", text: "a\n\n# b" },
    { kind: "paragraph", text: "more" },
  ]);
});
