// Children put into a new order in place: pictures stay, the focus stays, and what moves is seen to move.

const still = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * @param {HTMLElement} list @param {HTMLElement[]} wanted its children from now on
 */
export function reorder(list, wanted) {
  const active = /** @type {HTMLElement | null} */ (list.contains(document.activeElement) ? document.activeElement : null);
  const place = active ? [...list.children].findIndex((child) => child.contains(active)) : -1;
  const before = new Map(wanted.filter((node) => node.isConnected).map((node) => [node, node.getBoundingClientRect()]));
  wanted.forEach((node, i) => {
    if (list.children[i] !== node) list.insertBefore(node, list.children[i] ?? null);
  });
  while (list.children.length > wanted.length) list.lastElementChild?.remove();
  if (active && document.activeElement !== active) (active.isConnected ? active : twin(active, wanted[Math.min(place, wanted.length - 1)]))?.focus({ preventScroll: true });
  if (!still.matches) for (const node of wanted) glide(node, before.get(node));
}

/** The control of another card that does what the lost one did. @param {HTMLElement} lost @param {HTMLElement | undefined} node */
function twin(lost, node) {
  return /** @type {HTMLElement | null} */ (node?.querySelector(lost.className ? `.${[...lost.classList].join(".")}` : lost.tagName) ?? null);
}

/** @param {HTMLElement} node @param {DOMRect | undefined} from */
function glide(node, from) {
  const to = node.getBoundingClientRect();
  if (!from) node.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 200 });
  else if (from.left !== to.left || from.top !== to.top)
    node.animate([{ transform: `translate(${from.left - to.left}px, ${from.top - to.top}px)` }, { transform: "none" }], { duration: 260, easing: "cubic-bezier(.2, .8, .2, 1)" });
}
