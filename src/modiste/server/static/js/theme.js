// Set the chosen theme, and mark the embedded page, before the page is painted. A plain script, so that it runs first.
(() => {
  const root = document.documentElement;
  if (location.pathname.replace(/\/$/, "") === "/embed") root.dataset.embed = "";
  const requested = new URLSearchParams(location.search).get("theme");
  let saved = null;
  try {
    saved = localStorage.getItem("modiste-theme");
  } catch {
    // storage may be blocked, for example in a frame
  }
  const theme = requested ?? saved;
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
})();
