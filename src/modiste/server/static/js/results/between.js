// The interpolation of two pinned designs: a slider between them, a strip of pictures, an animation.

import { fetchInterpolation } from "../core/api.js";
import { download, fill, h } from "../core/dom.js";
import { latestImage } from "../core/latest-image.js";
import { shorten } from "../core/strings.js";
import { strings } from "../core/strings-results.js";
import { toast } from "../core/toast.js";
import { originText } from "../design/frame.js";
import { pin, toastErrors } from "../design/moves.js";

const STRIP_PICTURES = 7;
const ANIMATION_PICTURES = 24;
const STEP_PERCENT = 5; // of the button that replaces Play where motion is unwanted
const PLAY_MS = 4000; // from A to B
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/** @typedef {"a" | "b"} EndName */

/** @param {HTMLElement} root @param {import("../core/store.js").App} app */
export function mount(root, app) {
  const image = h("img.photo#between-frame", { alt: "" });
  const setImage = latestImage(image);
  const slider = h("input#between-slider", {
    type: "range",
    min: 0,
    max: 100,
    step: 1,
    value: 50,
    "aria-label": strings.slider,
    oninput() {
      stop();
      draw();
    },
  });
  const strip = h("ul.film");
  const playLabel = () => (reducedMotion.matches ? strings.step : strings.play);
  const play = h(
    "button#between-play.main",
    { type: "button", onclick: () => (reducedMotion.matches ? step() : animation ? stop() : start()) },
    playLabel(),
  );
  /** @param {string} id @param {string} label @param {() => void} onclick */
  const button = (id, label, onclick) => h(`button#${id}.plain`, { type: "button", onclick }, label);
  const take = button("between-take", strings.take, useDesign);
  const actions = h(
    "div.row",
    {},
    button("between-swap", strings.swapEnds, swap),
    button("export-strip", strings.exportStrip, () => save("image/png", STRIP_PICTURES, "png")),
    button("export-webp", strings.exportWebp, () => save("image/webp", ANIMATION_PICTURES, "webp")),
  );
  const ends = { a: createEnd("a"), b: createEnd("b") };
  const middle = h(
    "div.middle",
    {},
    image,
    slider,
    h(
      "div.a-to-b",
      {},
      h("span", { "aria-hidden": "true" }, "A"),
      h("div.row", {}, play, take),
      h("span", { "aria-hidden": "true" }, "B"),
    ),
  );
  const hint = h("p.empty.note", {}, strings.pinHint);
  const details = h("div.between-details", {}, strip, actions);
  root.append(
    h("div.heading", {}, h("h3", {}, strings.between), h("p.note", {}, strings.betweenNote)),
    h("div#between", {}, h("div.trio", {}, ends.a.node, middle, ends.b.node), hint, details),
  );

  let animation = 0; // the id of its next frame; 0 while it is stopped

  /** @param {EndName} name */
  function createEnd(name) {
    const letter = name.toUpperCase();
    const picture = h("div.end-picture");
    const title = h("p.name", { dir: "auto" });
    const pinDesign = () => {
      const origin = app.origin.title ? `${strings.design}, ${originText(app.origin)}` : strings.design;
      pin(app, name, { code: app.code.slice(), title: origin, url: app.renderUrl(), exemplar: app.exemplar });
    };
    const pinButton = button(`pin-${name}`, strings.pinDesign(letter), pinDesign);
    const node = h(
      "div.end",
      {},
      h("p.letter", { "aria-hidden": "true" }, letter),
      picture,
      title,
      pinButton,
    );
    return { picture, title, node };
  }

  /** Return the code at a share of the way, 0 to 1. @param {number} share */
  function codeAt(share) {
    const { a, b } = app.pins;
    if (!a || !b) return app.code;
    return a.code.map((from, i) => from + share * (b.code[i] - from));
  }

  /** The URL of the picture at a share of the way, with the details of both ends. @param {number} share */
  function urlAt(share) {
    const { a, b } = app.pins;
    const isMixed = a && b?.exemplar && a.exemplar?.id !== b.exemplar.id;
    const second = isMixed ? { exemplar: b.exemplar, share } : undefined;
    return app.renderUrl(codeAt(share), a?.exemplar ?? null, /** @type {any} */ (second));
  }

  function updatePins() {
    for (const name of /** @type {EndName[]} */ (["a", "b"])) {
      const { picture, title } = ends[name];
      const pinned = app.pins[name];
      title.textContent = pinned ? shorten(pinned.title, 80) : "";
      title.title = title.textContent;
      const letter = h("span.letter-large", { "aria-hidden": "true" }, name.toUpperCase());
      fill(picture, pinned ? h("img.photo", { src: pinned.url, alt: "" }) : letter);
    }
    const isReady = Boolean(app.pins.a && app.pins.b);
    middle.hidden = details.hidden = !isReady;
    hint.hidden = isReady;
    stop();
    if (!isReady) return;
    fill(
      strip,
      ...Array.from({ length: STRIP_PICTURES }, (_, i) =>
        stripItem(Math.round((100 * i) / (STRIP_PICTURES - 1))),
      ),
    );
    draw();
  }

  /** @param {number} percent */
  function stripItem(percent) {
    const choose = () => {
      stop();
      goTo(percent);
    };
    const picture = h("img.photo", { src: urlAt(percent / 100), alt: "", loading: "lazy" });
    const label = strings.at(percent);
    return h(
      "li",
      {},
      h("button.enlarge", { type: "button", "aria-label": label, onclick: choose }, picture),
    );
  }

  /** @param {number} percent */
  function goTo(percent) {
    slider.value = String(percent);
    draw();
  }

  function draw() {
    const { a, b } = app.pins;
    if (!a || !b) return;
    const percent = slider.valueAsNumber;
    slider.setAttribute("aria-valuetext", strings.at(percent));
    setImage(urlAt(percent / 100));
    image.alt = strings.betweenPicture(shorten(a.title, 60), shorten(b.title, 60), percent);
  }

  function start() {
    let before = performance.now();
    let share = slider.valueAsNumber / 100;
    let direction = share >= 1 ? -1 : 1;
    play.textContent = strings.pause;
    const tick = (/** @type {number} */ now) => {
      share += (direction * (now - before)) / PLAY_MS;
      before = now;
      if (share >= 1 || share <= 0) direction = -direction;
      share = Math.min(Math.max(share, 0), 1);
      goTo(Math.round(100 * share));
      animation = requestAnimationFrame(tick);
    };
    animation = requestAnimationFrame(tick);
  }

  function stop() {
    cancelAnimationFrame(animation);
    animation = 0;
    play.textContent = playLabel();
  }

  const step = () => goTo((slider.valueAsNumber + STEP_PERCENT) % (100 + STEP_PERCENT));

  function useDesign() {
    stop();
    const { a, b } = app.pins;
    app.setCode(codeAt(slider.valueAsNumber / 100), {
      exemplar: (slider.valueAsNumber < 50 ? a : b)?.exemplar,
    });
    toast(app, strings.tookBetween);
  }

  function swap() {
    app.pins = { a: app.pins.b, b: app.pins.a };
    slider.value = String(100 - slider.valueAsNumber);
    app.emit("pins");
  }

  /** @param {"image/png" | "image/webp"} type @param {number} steps @param {string} extension */
  function save(type, steps, extension) {
    toastErrors(app, async () => {
      const { a, b } = app.pins;
      if (!a || !b) return;
      toast(app, strings.rendering);
      const blob = await fetchInterpolation(
        { code: app.roundedCode(a.code), exemplar: a.exemplar?.id ?? null },
        { code: app.roundedCode(b.code), exemplar: b.exemplar?.id ?? null },
        steps,
        type,
      );
      download(blob, `between.${extension}`);
    });
  }

  app.on("pins", updatePins);
  reducedMotion.addEventListener("change", stop);
  updatePins();
  return { hide: stop };
}
