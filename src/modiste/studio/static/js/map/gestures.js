// Hands on the map: the mouse, fingers and keys; each does all that the others do.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 14; // pixels that an arrow moves at least
const LULL = 400; // milliseconds without the wheel that end a scrolling
const REACH = 24; // pixels from a pointer to what it points at

/**
 * @param {HTMLCanvasElement} canvas @param {import("./canvas.js").MapCanvas} map @param {import("./layout.js").Plan} plan
 * @param {{point: (row: number, say?: boolean) => void, open: (row: number) => void, moved: (action: () => void) => void, goToDesign: () => void}} acts
 */
export function listen(canvas, map, plan, { point, open, moved, goToDesign }) {
  /** @type {Map<number, {x: number, y: number}>} fingers that are down */
  const fingers = new Map();
  let dragged = 0;
  let scrolled = -Infinity; // when the wheel last scrolled the page: what began as scrolling goes on as scrolling

  const at = (/** @type {MouseEvent} */ event) => ({ x: event.offsetX, y: event.offsetY });
  const under = (/** @type {{x: number, y: number}} */ { x, y }) => plan.nearest(...map.toWorld(x, y), REACH / map.scale);

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, at(event));
    if (fingers.size === 1) dragged = 0;
  });

  canvas.addEventListener("pointermove", (event) => {
    const now = at(event);
    const before = fingers.get(event.pointerId);
    if (!before) return point(under(now));
    const [dx, dy] = [now.x - before.x, now.y - before.y];
    dragged += Math.abs(dx) + Math.abs(dy);
    fingers.set(event.pointerId, now);
    if (dragged < 5) return;
    canvas.classList.add("held");
    moved(() => {
      const share = 1 / fingers.size; // two fingers move the map by what they do together
      map.look(map.view.x - (share * dx) / map.scale, map.view.y - (share * dy) / map.scale);
      const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
      if (other) {
        const grown = Math.hypot(now.x - other.x, now.y - other.y) / Math.max(Math.hypot(before.x - other.x, before.y - other.y), 1);
        map.zoomBy(grown, (now.x + other.x) / 2, (now.y + other.y) / 2);
      }
    });
  });

  const up = (/** @type {PointerEvent} */ event) => {
    const alone = fingers.size === 1;
    fingers.delete(event.pointerId);
    canvas.classList.remove("held");
    if (event.type !== "pointerup" || !alone || dragged >= 5) return;
    const row = under(at(event));
    if (row >= 0) open(row);
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", () => {
    if (map.hovered !== map.focused || document.activeElement !== canvas) point(-1);
  });
  addEventListener("wheel", (event) => !event.defaultPrevented && (scrolled = event.timeStamp), { passive: true });

  canvas.addEventListener(
    "wheel",
    (event) => {
      if (event.timeStamp - scrolled < LULL && !event.ctrlKey) return;
      if (event.deltaY > 0 && map.view.zoom === 1 && !event.ctrlKey) return; // no farther out: the page scrolls
      event.preventDefault();
      moved(() => map.zoomBy(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0022)), event.offsetX, event.offsetY));
    },
    { passive: false },
  );

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = keyAct(event.key);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation(); // the page has its own meaning for some of these keys
    act();
  });
  canvas.addEventListener("blur", () => point(-1));

  /** @param {string} key @returns {(() => void) | undefined} */
  function keyAct(key) {
    const arrow = ARROWS[/** @type {keyof typeof ARROWS} */ (key)];
    if (arrow) return () => step(arrow[0], arrow[1]);
    return {
      Enter: () => map.focused >= 0 && open(map.focused),
      " ": () => map.focused >= 0 && open(map.focused),
      "+": () => moved(() => map.zoomBy(1.6)),
      "=": () => moved(() => map.zoomBy(1.6)),
      "-": () => moved(() => map.zoomBy(1 / 1.6)),
      0: () => moved(() => map.look(0.5, 0.5, 1)),
      d: goToDesign,
      D: goToDesign,
    }[key];
  }

  /** @param {number} dx @param {number} dy */
  function step(dx, dy) {
    const [x, y] = map.design ?? [map.view.x, map.view.y];
    const from = map.focused >= 0 && plan.passes[map.focused] ? map.focused : -1;
    const row = from < 0 ? plan.nearest(x, y) : plan.towards(from, dx, dy, STEP / map.scale);
    if (row < 0) return;
    const [left, top] = map.toScreen(plan.x[row], plan.y[row]);
    const edge = 60;
    if (left < edge || top < edge || left > map.size.width - edge || top > map.size.height - edge) moved(() => map.look(plan.x[row], plan.y[row]));
    point(row, true);
  }
}
