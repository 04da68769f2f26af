// Mouse, touch and keyboard on the map. Everything can be done with each of them.

/** @type {Record<string, [dx: number, dy: number]>} */
const ARROW_KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const MIN_STEP_PX = 14; // that an arrow key moves at least
const POINTER_RADIUS_PX = 24;
const DRAG_PX = 5; // less is a click
const EDGE_PX = 60; // a product nearer to the edge is centred
const SCROLL_PAUSE_MS = 400; // without a wheel event: the end of a scroll
const ZOOM_STEP = 1.6;

/** @typedef {{x: number, y: number}} Point */

/**
 * @param {HTMLCanvasElement} canvas @param {import("./canvas.js").MapCanvas} map @param {import("./layout.js").MapLayout} layout
 * @param {{point: (product: number, announce?: boolean) => void, open: (product: number) => void, move: (action: () => void) => void, goToDesign: () => void}} actions
 * `point` highlights a product, or none with −1; `move` runs an action that moves the map
 */
export function addGestures(canvas, map, layout, { point, open, move, goToDesign }) {
  /** @type {Map<number, Point>} the pointers that are down */
  const pointers = new Map();
  let draggedPx = 0;
  let lastScroll = -Infinity; // when the wheel last scrolled the page: a scroll of the page does not turn into a zoom

  /** @param {MouseEvent} event @returns {Point} */
  const pointOf = (event) => ({ x: event.offsetX, y: event.offsetY });
  /** @param {Point} point */
  const productAt = ({ x, y }) => layout.nearest(...map.toWorld(x, y), POINTER_RADIUS_PX / map.scale);

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, pointOf(event));
    if (pointers.size === 1) draggedPx = 0;
  });

  canvas.addEventListener("pointermove", (event) => {
    const now = pointOf(event);
    const before = pointers.get(event.pointerId);
    if (!before) return point(productAt(now));
    draggedPx += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
    pointers.set(event.pointerId, now);
    if (draggedPx < DRAG_PX) return;
    canvas.classList.add("dragging");
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    move(() => drag(before, now, other));
  });

  /** Move the map with a pointer; zoom it by the distance to another. @param {Point} before @param {Point} now @param {Point | undefined} other */
  function drag(before, now, other) {
    const share = 1 / pointers.size; // each of two pointers moves the map half as far
    const dx = (share * (now.x - before.x)) / map.scale;
    const dy = (share * (now.y - before.y)) / map.scale;
    map.moveTo(map.view.x - dx, map.view.y - dy);
    if (!other) return;
    const distance = (/** @type {Point} */ { x, y }) => Math.hypot(x - other.x, y - other.y);
    map.zoomBy(distance(now) / Math.max(distance(before), 1), (now.x + other.x) / 2, (now.y + other.y) / 2);
  }

  /** @param {PointerEvent} event */
  const release = (event) => {
    const isClick = event.type === "pointerup" && pointers.size === 1 && draggedPx < DRAG_PX;
    pointers.delete(event.pointerId);
    canvas.classList.remove("dragging");
    const product = isClick ? productAt(pointOf(event)) : -1;
    if (product >= 0) open(product);
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => {
    if (map.hovered !== map.focused || document.activeElement !== canvas) point(-1);
  });
  addEventListener(
    "wheel",
    (event) => {
      if (!event.defaultPrevented) lastScroll = event.timeStamp;
    },
    { passive: true },
  );

  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) {
        if (event.timeStamp - lastScroll < SCROLL_PAUSE_MS) return;
        if (event.deltaY > 0 && map.view.zoom === 1) return; // fully zoomed out: the page scrolls
      }
      event.preventDefault();
      const factor = Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0022));
      move(() => map.zoomBy(factor, event.offsetX, event.offsetY));
    },
    { passive: false },
  );

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = keyAction(event.key);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation(); // the page has shortcuts for some of these keys
    action();
  });
  canvas.addEventListener("blur", () => point(-1));

  /** @param {string} key @returns {(() => void) | undefined} */
  function keyAction(key) {
    const arrow = ARROW_KEYS[key];
    if (arrow) return () => step(...arrow);
    const openFocused = () => {
      if (map.focused >= 0) open(map.focused);
    };
    const zoomIn = () => move(() => map.zoomBy(ZOOM_STEP));
    /** @type {Record<string, () => void>} */
    const actions = {
      Enter: openFocused,
      " ": openFocused,
      "+": zoomIn,
      "=": zoomIn,
      "-": () => move(() => map.zoomBy(1 / ZOOM_STEP)),
      0: () => move(() => map.showAll()),
      d: goToDesign,
      D: goToDesign,
    };
    return actions[key];
  }

  /** Highlight the next product in a direction. @param {number} dx @param {number} dy */
  function step(dx, dy) {
    const [x, y] = map.design ?? [map.view.x, map.view.y];
    const hasFocused = map.focused >= 0 && layout.passes[map.focused];
    const product = hasFocused
      ? layout.nextTowards(map.focused, dx, dy, MIN_STEP_PX / map.scale)
      : layout.nearest(x, y);
    if (product < 0) return;
    const [left, top] = map.toScreen(layout.x[product], layout.y[product]);
    const { width, height } = map.size;
    const isNearEdge = left < EDGE_PX || top < EDGE_PX || left > width - EDGE_PX || top > height - EDGE_PX;
    if (isNearEdge) move(() => map.moveTo(layout.x[product], layout.y[product]));
    point(product, true);
  }
}
