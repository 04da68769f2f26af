// Preferences that the browser stores from visit to visit, where it allows storage.

/** @param {string} key @returns {string | null} */
export function readPreference(key) {
  try {
    return localStorage.getItem(`modiste-${key}`);
  } catch {
    return null; // storage may be blocked, for example in a frame
  }
}

/** @param {string} key @param {string | null} value null removes it */
export function savePreference(key, value) {
  try {
    if (value === null) localStorage.removeItem(`modiste-${key}`);
    else localStorage.setItem(`modiste-${key}`, value);
  } catch {
    // blocked: the preference lasts until the page is closed
  }
}
