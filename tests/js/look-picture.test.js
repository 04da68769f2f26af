import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { textChunk, withMark } from "#page/results/look-picture.js";

const MARK = '<?xpacket begin="\ufeff" id="x"?><x:xmpmeta/><?xpacket end="r"?>';
const png = new Uint8Array(60).map((_, i) => i);

test("a chunk has its length and checksum", () => {
  const text = new TextEncoder().encode("größe");
  const chunk = Buffer.from(textChunk("key", text));
  assert.equal(chunk.readUInt32BE(0), chunk.length - 12);
  assert.equal(chunk.readUInt32BE(chunk.length - 4), crc32(chunk.subarray(4, -4)));
  assert.equal(chunk.subarray(4, 11).toString("latin1"), "iTXtkey");
});

test("a look's picture gets the mark of the design's picture, after its header", async () => {
  const picture = Buffer.concat([Buffer.from([0xff, 0xd8, 1, 2]), Buffer.from(MARK), Buffer.from([3, 0xff])]);
  globalThis.fetch = async () => new Response(picture);
  const marked = Buffer.from(await (await withMark(new Blob([png]), "/design.jpg")).arrayBuffer());
  assert.ok(marked.includes(`XML:com.adobe.xmp\0\0\0\0\0${MARK}`));
  assert.deepEqual(marked.subarray(0, 33), Buffer.from(png.subarray(0, 33)));
  assert.deepEqual(marked.subarray(-27), Buffer.from(png.subarray(33)));
});

test("without a mark, the picture stays as it is", async () => {
  globalThis.fetch = async () => new Response(Buffer.from([1, 2, 3]));
  const blob = new Blob([png]);
  assert.equal(await withMark(blob, "/design.jpg"), blob);
});
