// The page's URL fragment: key=value pairs after "#". Each part of the page changes its own keys only.

const readFragment = () => new URLSearchParams(location.hash.slice(1));

/** @param {string} key @returns {string | null} */
export const fromFragment = (key) => readFragment().get(key);

/** Return the page's URL with some keys changed; null removes one. @param {Record<string, string | null>} changes */
export function urlWith(changes) {
  const pairs = readFragment();
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) pairs.delete(key);
    else pairs.set(key, value);
  }
  const text = pairs.toString();
  return location.origin + location.pathname + location.search + (text ? `#${text}` : "");
}

/** Change some keys of the page's URL, without an entry in the browser's history. @param {Record<string, string | null>} changes */
export function setFragment(changes) {
  history.replaceState(history.state, "", urlWith(changes));
}
