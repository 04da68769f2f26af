// Icons of buttons: strokes on a 24 × 24 grid, in the colour of the text.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  surprise:
    "M12 3l1.8 5.2L19 10l-5.2 1.8L12 17l-1.8-5.2L5 10l5.2-1.8zM18.5 15.5l.8 2.2 2.2.8-2.2.8-.8 2.2-.8-2.2-2.2-.8 2.2-.8z",
  nearby:
    "M4 4h4v4H4zM10 4h4v4h-4zM16 4h4v4h-4zM4 10h4v4H4zM10 10h4v4h-4zM16 10h4v4h-4zM4 16h4v4H4zM10 16h4v4h-4zM16 16h4v4h-4z",
  undo: "M9 6L4.5 10.5 9 15M5 10.5h9a5 5 0 0 1 0 10h-3",
  redo: "M15 6l4.5 4.5L15 15M19 10.5h-9a5 5 0 0 0 0 10h3",
  reset: "M5 12a7 7 0 1 0 2.2-5.1M5 4v4h4",
  share: "M12 15V4M8 7.5L12 3.5l4 4M6 11H5v9h14v-9h-1",
  product: "M12 8.5V7.6a2 2 0 1 0-2-2M12 8.5L3.5 15a1 1 0 0 0 .6 1.8h15.8a1 1 0 0 0 .6-1.8z",
  photo: "M4 8h3.5L9 5.5h6L16.5 8H20v11H4zM12 10.2a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  locked: "M7 11V8a5 5 0 0 1 10 0v3M5.5 11h13v9h-13zM12 14.5v2",
  unlocked: "M7 11V7.5a4.6 4.6 0 0 1 8.9-1.6M5.5 11h13v9h-13zM12 14.5v2",
  light:
    "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  dark: "M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z",
  system: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 4v16M12 8h6.9M12 12h8M12 16h6.9",
  help: "M9 9.2a3 3 0 1 1 4.4 2.6c-.9.5-1.4 1.1-1.4 2.2M12 17.4v.2M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  close: "M6 6l12 12M18 6L6 18",
  minus: "M6 12h12",
  plus: "M6 12h12M12 6v12",
  strip: "M3 7h5v10H3zM9.5 7h5v10h-5zM16 7h5v10h-5z",
};

/** @typedef {keyof typeof PATHS} IconName */

/** Return an icon. Its button has a label, so screen readers skip the icon. @param {IconName} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
