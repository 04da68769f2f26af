// Reorder the children of a list in place: images stay loaded, the focus stays, and moves are animated.

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/** @param {HTMLElement} list @param {HTMLElement[]} items its new children, in order */
export function reorder(list, items) {
  const active = /** @type {HTMLElement | null} */ (
    list.contains(document.activeElement) ? document.activeElement : null
  );
  const activeIndex = active ? [...list.children].findIndex((child) => child.contains(active)) : -1;
  const connected = items.filter((item) => item.isConnected);
  const before = new Map(connected.map((item) => [item, item.getBoundingClientRect()]));
  items.forEach((item, i) => {
    if (list.children[i] !== item) list.insertBefore(item, list.children[i] ?? null);
  });
  while (list.children.length > items.length) list.lastElementChild?.remove();
  if (active && document.activeElement !== active) {
    const item = items[Math.min(activeIndex, items.length - 1)];
    (active.isConnected ? active : sameControl(active, item))?.focus({ preventScroll: true });
  }
  if (!reducedMotion.matches) for (const item of items) animateMove(item, before.get(item));
}

/** Return the control of another item that does what a removed one did. @param {HTMLElement} removed @param {HTMLElement | undefined} item */
function sameControl(removed, item) {
  const selector = removed.className ? `.${[...removed.classList].join(".")}` : removed.tagName;
  return /** @type {HTMLElement | null} */ (item?.querySelector(selector) ?? null);
}

/** @param {HTMLElement} item @param {DOMRect | undefined} from undefined if the item is new */
function animateMove(item, from) {
  const to = item.getBoundingClientRect();
  if (!from) item.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 200 });
  else if (from.left !== to.left || from.top !== to.top) {
    const offset = `translate(${from.left - to.left}px, ${from.top - to.top}px)`;
    item.animate([{ transform: offset }, { transform: "none" }], {
      duration: 260,
      easing: "cubic-bezier(.2, .8, .2, 1)",
    });
  }
}
