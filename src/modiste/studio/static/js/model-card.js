// The model card, one click away: the little Markdown that it is written in, as elements.

import { request } from "./core/api.js";
import { dialog, open } from "./core/dialog.js";
import { byId, fill, h } from "./core/dom.js";
import { words } from "./core/strings.js";

export function mount() {
  const text = h("div.prose#card-text", { tabIndex: 0, role: "region", "aria-labelledby": "card-title" });
  const box = dialog("card", words.card, text);
  byId("card-open").addEventListener("click", async () => {
    open(box);
    if (text.dataset.read) return;
    fill(text, h("p.skeleton.line"), h("p.skeleton.line"), h("p.skeleton.line"));
    try {
      fill(text, ...elements(await (await request("/v1/card")).text()));
      text.dataset.read = "yes";
    } catch {
      fill(text, h("p.state.bad", {}, words.cardFailed));
    }
  });
}

/** Headings, paragraphs, lists, tables and code of a Markdown text. @param {string} markdown @returns {HTMLElement[]} */
export function elements(markdown) {
  const fenced = markdown.replace(/^---\n[\s\S]*?\n---\n/, "").split(/^(```[\s\S]*?^```)$/m);
  return fenced
    .flatMap((each) => (each.startsWith("```") ? [each] : each.split(/\n{2,}/)))
    .map((each) => each.replace(/^\n+|\s+$/g, ""))
    .filter(Boolean)
    .flatMap(block);
}

/** @param {string} source @returns {HTMLElement[]} */
function block(source) {
  const lines = source.split("\n");
  const heading = /^(#{1,6}) (.*)$/.exec(lines[0]);
  if (heading) {
    const level = Math.min(Math.max(heading[1].length + 1, 3), 6); // the dialog's title is the h2
    const rest = lines.slice(1).join("\n").trim();
    return [h(`h${level}`, {}, ...inline(heading[2])), ...(rest ? block(rest) : [])];
  }
  if (lines[0].startsWith("```")) return [h("pre", { tabIndex: 0 }, lines.slice(1).join("\n").replace(/\n?```$/, ""))];
  if (lines.every((line) => line.startsWith("|"))) return [table(lines)];
  if (/^[-*] /.test(lines[0])) {
    const items = source.split(/\n(?=[-*] )/).map((item) => item.replace(/^[-*] /, "").replaceAll(/\n\s*/g, " "));
    return [h("ul", {}, ...items.map((item) => h("li", {}, ...inline(item))))];
  }
  return [h("p", {}, ...inline(lines.join(" ")))];
}

/** @param {string[]} lines */
function table(lines) {
  const cells = (/** @type {string} */ line) => line.replace(/^\||\|\s*$/g, "").split("|").map((cell) => cell.trim());
  const rows = lines.filter((line) => !/^[|\s:-]+$/.test(line)).map(cells);
  const [head, ...body] = rows;
  const row = (/** @type {string[]} */ row, /** @type {string} */ kind) => h("tr", {}, ...row.map((cell) => h(kind, kind === "th" ? { scope: "col" } : {}, ...inline(cell))));
  return h("div.scroll", { tabIndex: 0, role: "group", "aria-label": head.join(", ") }, h("table", {}, h("thead", {}, row(head, "th")), h("tbody", {}, ...body.map((each) => row(each, "td")))));
}

/** `code`, **strong** and [links](…) within a line. @param {string} text @returns {(Node | string)[]} */
function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\(https?:[^)\s]+\))/).filter(Boolean).map((part) => {
    if (part.startsWith("`")) return h("code", {}, part.slice(1, -1));
    if (part.startsWith("**")) return h("strong", {}, part.slice(2, -2));
    const link = /^\[([^\]]+)\]\((https?:[^)\s]+)\)$/.exec(part);
    return link ? h("a", { href: link[2], rel: "noopener noreferrer", target: "_blank" }, link[1]) : part;
  });
}
