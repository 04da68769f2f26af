// Small wishes kept from visit to visit, where the browser allows it.

/** @param {string} key @returns {string | null} */
export function kept(key) {
  try {
    return localStorage.getItem(`modiste-${key}`);
  } catch {
    return null; // storage may be forbidden, in a frame for instance
  }
}

/** @param {string} key @param {string | null} value null forgets */
export function keep(key, value) {
  try {
    if (value === null) localStorage.removeItem(`modiste-${key}`);
    else localStorage.setItem(`modiste-${key}`, value);
  } catch {
    // then it lasts as long as the page
  }
}
