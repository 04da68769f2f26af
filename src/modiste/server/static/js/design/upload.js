// A photo as the start of the design: chosen, dropped anywhere or pasted; shown beside what the model sees.

import { ApiError, encodePhoto } from "../core/api.js";
import { clamp } from "../core/design-codec.js";
import { fill, h } from "../core/dom.js";
import { strings } from "../core/strings.js";

const PHOTO_TYPES = ["image/jpeg", "image/png", "image/webp"];

/**
 * @param {import("../core/store.js").App} app
 * @param {{show: () => void, close: () => void}} dialog shows the panel in its dialog, and closes that
 */
export function mount(app, dialog) {
  const { photo_bytes: maxBytes, megapixels } = app.shop.limits;
  const input = h("input.visually-hidden#start-photo", {
    type: "file",
    accept: PHOTO_TYPES.join(","),
    "aria-label": strings.yourPhoto,
    onchange: () => take(input.files?.[0]),
  });
  const dropZone = h(
    "label.dropzone#dropzone",
    { htmlFor: "start-photo" },
    h("span", {}, strings.drop, " ", h("span.like-link", {}, strings.choose)),
    h("span.quiet", {}, strings.photoHint(maxBytes, megapixels)),
  );
  const state = h("p.state", { role: "status" });
  const pictures = h("div#photo-pictures", { hidden: true });
  const keepBackground = h("input#keep-background", {
    type: "checkbox",
    role: "switch",
    onchange: () => photo && read(photo),
  });
  const actions = h(
    "div.row.after",
    { hidden: true },
    h("label.switch", {}, keepBackground, strings.keepBackground),
    h("button.plain", { type: "button", onclick: () => input.click() }, strings.anotherPhoto),
    h("button.main#use-photo", { type: "button", onclick: dialog.close }, strings.designFromPhoto),
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
    if (!PHOTO_TYPES.includes(file.type)) return showError(strings.photoType(file.type));
    if (file.size > maxBytes) return showError(strings.photoTooLarge(file.size, maxBytes));
    photo = file;
    read(file);
  }

  /** Show the pictures and actions, or else the drop zone. @param {boolean} visible */
  function showPictures(visible) {
    pictures.hidden = actions.hidden = !visible;
    dropZone.hidden = input.hidden = visible;
  }

  /** @param {string} message */
  function showError(message) {
    photo = null;
    showPictures(false);
    state.className = "state bad";
    state.textContent = message;
  }

  /** @param {File} file */
  async function read(file) {
    running?.abort();
    const controller = new AbortController();
    running = controller;
    state.className = "state busy";
    state.textContent = strings.reading;
    try {
      show(file, await encodePhoto(file, keepBackground.checked, controller.signal));
    } catch (error) {
      if (controller.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      showError(error.message);
    }
  }

  /** @param {File} file @param {import("../core/api.js").EncodedPhoto} response */
  function show(file, { code, cut }) {
    for (const url of urls) URL.revokeObjectURL(url);
    const bytes = Uint8Array.from(atob(cut.photo), (c) => c.charCodeAt(0));
    const cutPhoto = new Blob([bytes], { type: "image/jpeg" });
    urls = [URL.createObjectURL(file), URL.createObjectURL(cutPhoto)];
    const hasBackground = keepBackground.checked || !cut.done;
    fill(
      pictures,
      figure(urls[0], strings.yourPhoto),
      figure(urls[1], hasBackground ? strings.notCutOut : strings.cutOut),
      figure(app.renderUrl(clamp(code, app.ranges), null), strings.asModelSees),
    );
    showPictures(true);
    state.className = "state";
    state.textContent = cut.done || keepBackground.checked ? strings.photoDone : strings.cannotCutOut;
    app.setCode(code, { origin: { kind: "photo" }, by: "photo" });
  }

  function reset() {
    running?.abort();
    photo = null;
    showPictures(false);
    state.className = "state";
    state.textContent = "";
  }

  const overlay = h("div.drop-overlay", { hidden: true }, h("p", {}, strings.dropAnywhere));
  document.body.append(overlay);
  let depth = 0; // of the elements that a dragged file has entered and not left
  const setDepth = (/** @type {number} */ value) => {
    depth = Math.max(0, value);
    overlay.hidden = depth === 0;
    dropZone.classList.toggle("over", depth > 0);
  };
  addEventListener("dragenter", (event) => {
    if (hasFiles(event)) setDepth(depth + 1);
  });
  addEventListener("dragleave", (event) => {
    if (hasFiles(event)) setDepth(depth - 1);
  });
  addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    setDepth(0);
    take(event.dataTransfer?.files[0]);
  });
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    const image = files.find((file) => file.type.startsWith("image/"));
    if (image) take(image);
  });

  const panel = h("div", {}, input, dropZone, state, pictures, actions);
  return { panel, reset };
}

/** @param {string} src @param {string} caption */
const figure = (src, caption) =>
  h("figure", {}, h("div.tile", {}, h("img", { src, alt: caption })), h("figcaption", {}, caption));

/** @param {DragEvent} event */
const hasFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;
