// Before the page is painted: the theme that was chosen, and whether this is the embedded page. A plain script, so that it runs first.
(() => {
  const root = document.documentElement;
  if (location.pathname.replace(/\/$/, "") === "/embed") root.dataset.embed = "";
  const asked = new URLSearchParams(location.search).get("theme");
  let kept = null;
  try {
    kept = localStorage.getItem("modiste-theme");
  } catch {
    // storage may be forbidden, in a frame for instance
  }
  const theme = asked ?? kept;
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
})();
