// Elements, made without markup: text from the catalogue is only ever text.

/**
 * An element: `h("button.quiet", { type: "button", onclick }, "Reset")`. Properties that start with "on" are listeners,
 * "data-" and "aria-" and names that are no property of the element are attributes; null leaves one out.
 * @param {string} kind tag, then .classes and an #id
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string | number | null | undefined)} children
 * @returns {any}
 */
export function h(kind, properties = {}, ...children) {
  const [tag, ...rest] = kind.split(/(?=[.#])/);
  const element = document.createElement(tag);
  for (const part of rest) {
    if (part[0] === "#") element.id = part.slice(1);
    else element.classList.add(part.slice(1));
  }
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.includes("-")) element[name] = value;
    else element.setAttribute(name, String(value));
  }
  for (const child of children) if (child !== null && child !== undefined) element.append(String(child) === child ? child : /** @type {any} */ (child));
  return element;
}

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/** Replace what an element holds. @param {Element} element @param {...(Node | string)} children */
export const fill = (element, ...children) => element.replaceChildren(...children);

/** Save a blob as a file. @param {Blob} blob @param {string} name */
export function download(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** `action`, once, `wait` milliseconds after the last call. @param {(...args: any[]) => void} action @param {number} wait */
export function debounced(action, wait) {
  let timer = 0;
  return (/** @type {any[]} */ ...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...args), wait);
  };
}
