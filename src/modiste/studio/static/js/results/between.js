// Two pinned designs and everything between them: one slider, a strip to choose from, a film to keep.

import { picture } from "../core/api.js";
import { download, fill, h } from "../core/dom.js";
import { newest } from "../core/latest-image.js";
import { words } from "../core/strings-results.js";
import { toast } from "../core/toast.js";
import { begun } from "../design/frame.js";
import { pin, trying } from "../design/moves.js";
import { short } from "./cards.js";

const STRIP = 7; // pictures
const FILM = 24;
const STEP = 5; // per cent of the way, of the button that stands for playing where motion is unwanted
const LASTS = 4000; // milliseconds from A to B
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** @param {HTMLElement} root @param {import("../core/store.js").App} app */
export function mount(root, app) {
  const image = h("img.shot#between-frame", { alt: "" });
  const paint = newest(image);
  const slider = h("input#between-slider", { type: "range", min: 0, max: 100, step: 1, value: 50, "aria-label": words.slider, oninput: () => (stop(), draw()) });
  const strip = h("ul.film");
  const play = h("button#between-play.main", { type: "button", onclick: () => (still.matches ? step() : playing ? stop() : start()) }, still.matches ? words.step : words.play);
  const act = (/** @type {string} */ id, /** @type {string} */ word, /** @type {() => void} */ onclick) => h(`button#${id}.plain`, { type: "button", onclick }, word);
  const take = act("between-take", words.take, takeIt);
  const actions = h(
    "div.row",
    {},
    act("between-swap", words.swapEnds, swap),
    act("export-strip", words.exportStrip, () => save("image/png", STRIP, "png")),
    act("export-webp", words.exportWebp, () => save("image/webp", FILM, "webp")),
  );
  const ends = { a: end("a"), b: end("b") };
  const middle = h("div.middle", {}, image, slider, h("div.a-to-b", {}, h("span", { "aria-hidden": "true" }, "A"), h("div.row", {}, play, take), h("span", { "aria-hidden": "true" }, "B")));
  const hint = h("p.empty.note", {}, words.pinHint);
  const work = h("div.between-work", {}, strip, actions);
  root.append(h("div.heading", {}, h("h3", {}, words.between), h("p.note", {}, words.betweenNote)), h("div#between", {}, h("div.trio", {}, ends.a.node, middle, ends.b.node), hint, work));

  let playing = 0;

  /** @param {"a" | "b"} name */
  function end(name) {
    const letter = name.toUpperCase();
    const photo = h("div.photo");
    const title = h("p.name", { dir: "auto" });
    const button = h(
      `button#pin-${name}.plain`,
      { type: "button", onclick: () => pin(app, name, { code: app.code.slice(), title: app.origin.title ? `${words.design}, ${begun(app.origin)}` : words.design, url: app.frameUrl() }) },
      words.pinDesign(letter),
    );
    return { photo, title, node: h("div.end", {}, h("p.letter", { "aria-hidden": "true" }, letter), photo, title, button) };
  }

  const ready = () => Boolean(app.pins.a && app.pins.b);
  const at = (/** @type {number} */ share) => app.pins.a.code.map((/** @type {number} */ from, /** @type {number} */ i) => from + share * (app.pins.b.code[i] - from));

  function pinned() {
    for (const name of /** @type {const} */ (["a", "b"])) {
      const held = app.pins[name];
      ends[name].title.textContent = held ? short(held.title, 80) : "";
      fill(ends[name].photo, ...(held ? [h("img.shot", { src: held.url, alt: "" })] : [h("span.letter-large", { "aria-hidden": "true" }, name.toUpperCase())]));
    }
    middle.hidden = work.hidden = !ready();
    hint.hidden = ready();
    stop();
    if (!ready()) return;
    const steps = Array.from({ length: STRIP }, (_, i) => Math.round((100 * i) / (STRIP - 1)));
    fill(strip, ...steps.map((share) => h("li", {}, h("button.enlarge", { type: "button", "aria-label": words.at(share), onclick: () => (stop(), go(share)) }, h("img.shot", { src: app.frameUrl(at(share / 100)), alt: "", loading: "lazy" })))));
    draw();
  }

  /** @param {number} share per cent */
  function go(share) {
    slider.value = share;
    draw();
  }

  function draw() {
    const share = Number(slider.value);
    slider.setAttribute("aria-valuetext", words.at(share));
    paint(app.frameUrl(at(share / 100)));
    image.alt = words.betweenFrame(short(app.pins.a.title, 60), short(app.pins.b.title, 60), share);
  }

  function start() {
    let before = performance.now();
    let place = Number(slider.value) / 100;
    let way = place >= 1 ? -1 : 1;
    play.textContent = words.pause;
    const tick = (/** @type {number} */ now) => {
      place += (way * (now - before)) / LASTS;
      before = now;
      if (place >= 1 || place <= 0) way = -way;
      place = Math.min(Math.max(place, 0), 1);
      go(Math.round(100 * place));
      playing = requestAnimationFrame(tick);
    };
    playing = requestAnimationFrame(tick);
  }

  function stop() {
    cancelAnimationFrame(playing);
    playing = 0;
    play.textContent = still.matches ? words.step : words.play;
  }

  const step = () => go((Number(slider.value) + STEP) % (100 + STEP));

  function takeIt() {
    stop();
    app.setCode(at(Number(slider.value) / 100));
    toast(app, words.tookBetween);
  }

  function swap() {
    app.pins = { a: app.pins.b, b: app.pins.a };
    slider.value = 100 - Number(slider.value);
    app.emit("pins");
  }

  /** @param {string} type @param {number} steps @param {string} ending */
  function save(type, steps, ending) {
    trying(app, async () => {
      toast(app, words.waiting);
      const { a, b } = app.pins;
      const blob = await picture("/v1/between", { a: app.asked(a.code), b: app.asked(b.code), steps, there_and_back: ending === "webp" }, type);
      download(blob, `between.${ending}`);
    });
  }

  app.on("pins", pinned);
  still.addEventListener("change", stop);
  pinned();
  return { hide: stop };
}
