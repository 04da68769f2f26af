// DOM helpers. Elements are created without markup, so text from the catalogue is never parsed as HTML.

/** @typedef {Node | string | number | null | undefined} Child */

/**
 * The tag of a selector: "button" of "button.plain#save".
 * @template {string} Selector
 * @typedef {Selector extends `${infer Tag}.${string}` ? (Tag extends `${infer Inner}#${string}` ? Inner : Tag) : Selector extends `${infer Tag}#${string}` ? Tag : Selector} TagOf
 */

/**
 * @template {string} Selector
 * @typedef {TagOf<Selector> extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[TagOf<Selector>] : HTMLElement} ElementOf
 */

/**
 * Create an element: `h("button.quiet", { type: "button", onclick }, "Reset")`. Properties that start with "on" are
 * listeners. Names with a hyphen, and names that the element does not have, become attributes. Null and undefined are left out.
 * @template {string} Selector
 * @param {Selector} selector tag, then .classes and an #id
 * @param {Record<string, any>} [properties]
 * @param {...Child} children
 * @returns {ElementOf<Selector>}
 */
export function h(selector, properties = {}, ...children) {
  const [tag, ...rest] = selector.split(/(?=[.#])/);
  const element = document.createElement(tag);
  for (const part of rest) {
    if (part[0] === "#") element.id = part.slice(1);
    else element.classList.add(part.slice(1));
  }
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.includes("-")) Object.assign(element, { [name]: value });
    else element.setAttribute(name, String(value));
  }
  for (const child of children) {
    if (child !== null && child !== undefined) element.append(child instanceof Node ? child : String(child));
  }
  return /** @type {any} */ (element);
}

/**
 * Return the element with an id. Raises an error if there is none, or if it is of another type.
 * @template {HTMLElement} [Type=HTMLElement]
 * @param {string} id @param {new () => Type} [type]
 * @returns {Type}
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof (type ?? HTMLElement))) throw new Error(`The page has no #${id}.`);
  return /** @type {Type} */ (element);
}

/** Replace the children of an element. @param {Element} element @param {...(Node | string)} children */
export const fill = (element, ...children) => element.replaceChildren(...children);

/** Save a blob as a file. @param {Blob} blob @param {string} name */
export function download(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Copy a text to the clipboard. @param {string} text @returns {Promise<boolean>} false if the browser does not allow it */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Return a function that calls `action` once, `waitMs` milliseconds after its last call.
 * @template {any[]} Arguments
 * @param {(...args: Arguments) => void} action @param {number} waitMs
 * @returns {(...args: Arguments) => void}
 */
export function debounced(action, waitMs) {
  let timer = 0;
  return (...args) => {
    clearTimeout(timer);
    timer = window.setTimeout(() => action(...args), waitMs);
  };
}
