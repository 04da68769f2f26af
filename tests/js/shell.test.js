import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { curlCommand, quote } from "#page/core/shell.js";

test("a shell reads a quoted word literally", () => {
  for (const word of ["plain", "a b", "it's", "$HOME `id` \\", "a\nb", "#x", "*"]) {
    assert.equal(execFileSync("/bin/sh", ["-c", `printf %s ${quote(word)}`], { encoding: "utf8" }), word);
  }
});

test("a shell reads the command as its arguments", () => {
  const command = curlCommand(
    "https://shop.example/v1/decode",
    { code: [0.5, -1] },
    "image/png",
    "design.png",
  );
  const script = command.replace(/^curl/, "printf '%s\\n'");
  const words = execFileSync("/bin/sh", ["-c", script], { encoding: "utf8" }).trim().split("\n");
  assert.equal(words[0], "https://shop.example/v1/decode");
  assert.ok(words.includes('{"code":[0.5,-1]}'));
  assert.deepEqual(words.slice(-2), ["-o", "design.png"]);
});
