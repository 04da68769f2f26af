// What the address says after "#": key=value pairs, shared by the parts of the page; each changes its own keys only.

/** @returns {URLSearchParams} */
export const fragment = () => new URLSearchParams(location.hash.slice(1));

/** One value, or null. @param {string} key */
export const fromFragment = (key) => fragment().get(key);

/** The page's address with some keys changed: null removes one. @param {Record<string, string | null>} changes */
export function addressWith(changes) {
  const pairs = fragment();
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) pairs.delete(key);
    else pairs.set(key, value);
  }
  const text = pairs.toString();
  return location.origin + location.pathname + location.search + (text ? `#${text}` : "");
}

/** Change some keys of this page's address, with no new entry in the browser's history. @param {Record<string, string | null>} changes */
export function setFragment(changes) {
  history.replaceState(history.state, "", addressWith(changes));
}
