// A photo as a beginning: chosen, dropped anywhere or pasted; shown beside what the model sees of it.

import { Refusal, request } from "../core/api.js";
import { clamp } from "../core/design-codec.js";
import { fill, h } from "../core/dom.js";
import { words } from "../core/strings.js";

const KINDS = ["image/jpeg", "image/png", "image/webp"];

/** @param {import("../core/store.js").App} app @param {{show: () => void, close: () => void}} dialog how the dialog it lives in is opened at it, and closed */
export function mount(app, dialog) {
  const { photo_bytes: limit, megapixels } = app.shop.limits;
  const input = h("input.unseen#start-photo", { type: "file", accept: KINDS.join(","), "aria-label": words.seenPhoto, onchange: () => take(input.files?.[0]) });
  const zone = h("label.dropzone#dropzone", { htmlFor: "start-photo" }, h("span", {}, words.drop, " ", h("span.like-link", {}, words.choose)), h("span.quiet", {}, words.photoHint(limit, megapixels)));
  const state = h("p.state", { role: "status" });
  const seen = h("div#seen", { hidden: true });
  const keepBackground = h("input#keep-background", { type: "checkbox", role: "switch", onchange: () => photo && read(photo) });
  const after = h(
    "div.row.after",
    { hidden: true },
    h("label.switch", {}, keepBackground, words.keepBackground),
    h("button.plain", { type: "button", onclick: () => input.click() }, words.seenAnother),
    h("button.main#seen-go", { type: "button", onclick: dialog.close }, words.seenGo),
  );
  /** @type {File | null} */
  let photo = null;
  /** @type {string[]} */
  let urls = [];
  /** @type {AbortController | null} */
  let running = null;

  /** @param {File | null | undefined} file */
  function take(file) {
    input.value = "";
    if (!file) return;
    dialog.show();
    keepBackground.checked = false;
    if (!KINDS.includes(file.type)) return refuse(words.photoKind(file.type));
    if (file.size > limit) return refuse(words.photoSize(file.size, limit));
    photo = file;
    read(file);
  }

  /** Either the result is shown or the place to drop a photo. @param {boolean} shown */
  function result(shown) {
    seen.hidden = after.hidden = !shown;
    zone.hidden = input.hidden = shown;
  }

  /** @param {string} why */
  function refuse(why) {
    photo = null;
    result(false);
    state.className = "state bad";
    state.textContent = why;
  }

  /** @param {File} file */
  async function read(file) {
    running?.abort();
    const mine = (running = new AbortController());
    state.className = "state busy";
    state.textContent = words.reading;
    try {
      const answer = await request(`/v1/encode${keepBackground.checked ? "?cut=false" : ""}`, { method: "POST", headers: { "Content-Type": file.type }, body: file, signal: mine.signal });
      show(file, await answer.json());
    } catch (error) {
      if (mine.signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      refuse(error.message);
    }
  }

  /** @param {File} file @param {any} answer POST /v1/encode */
  function show(file, { code, cut }) {
    urls.forEach(URL.revokeObjectURL);
    const cutOut = new Blob([Uint8Array.from(atob(cut.photo), (c) => c.charCodeAt(0))], { type: "image/jpeg" });
    urls = [URL.createObjectURL(file), URL.createObjectURL(cutOut)];
    const picture = (/** @type {string} */ src, /** @type {string} */ word) => h("figure", {}, h("div.tile", {}, h("img", { src, alt: word })), h("figcaption", {}, word));
    const whole = keepBackground.checked || !cut.done;
    fill(seen, picture(urls[0], words.seenPhoto), picture(urls[1], whole ? words.seenUncut : words.seenCut), picture(app.frameUrl(clamp(code, app.ranges)), words.seenModel));
    result(true);
    state.className = "state";
    state.textContent = cut.done || keepBackground.checked ? words.seenDone : words.seenNotCut;
    app.setCode(code, { origin: { kind: "photo" }, by: "photo" });
  }

  function reset() {
    running?.abort();
    photo = null;
    result(false);
    state.className = "state";
    state.textContent = "";
  }

  const veil = h("div.veil", { hidden: true }, h("p", {}, words.dropAnywhere));
  document.body.append(veil);
  const holdsFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  let inside = 0;
  const over = (/** @type {number} */ by) => {
    inside = Math.max(0, inside + by);
    veil.hidden = !inside;
    zone.classList.toggle("over", inside > 0);
  };
  addEventListener("dragenter", (event) => holdsFiles(event) && over(1));
  addEventListener("dragleave", (event) => holdsFiles(event) && over(-1));
  addEventListener("dragover", (event) => holdsFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    over(-inside);
    take(event.dataTransfer?.files[0]);
  });
  addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((each) => each.type.startsWith("image/"));
    if (file) take(file);
  });

  const panel = h("div", {}, input, zone, state, seen, after);
  return { panel, reset };
}
