// The model card in a dialog: the small subset of Markdown that it uses, as elements.

import { fetchModelCard } from "./core/api.js";
import { createDialog, openDialog } from "./core/dialog.js";
import { byId, fill, h } from "./core/dom.js";
import { strings } from "./core/strings.js";

export function mount() {
  const text = h("div.prose#card-text", { tabIndex: 0, role: "region", "aria-labelledby": "card-title" });
  const dialog = createDialog("card", strings.card, text);
  byId("card-open").addEventListener("click", async () => {
    openDialog(dialog);
    if (text.dataset.loaded) return;
    fill(text, h("p.skeleton.line"), h("p.skeleton.line"), h("p.skeleton.line"));
    try {
      fill(text, ...blocksOf(await fetchModelCard()).map(blockElement));
      text.dataset.loaded = "yes";
    } catch {
      fill(text, h("p.state.bad", {}, strings.cardFailed));
    }
  });
}

/**
 * @typedef {{kind: "heading", level: number, text: string} | {kind: "code", text: string} | {kind: "paragraph", text: string}
 *   | {kind: "list", items: string[]} | {kind: "table", head: string[], rows: string[][]}} Block
 */

/** Return the headings, paragraphs, lists, tables and code blocks of a Markdown text. @param {string} markdown @returns {Block[]} */
export function blocksOf(markdown) {
  const parts = markdown.replace(/^---\n[\s\S]*?\n---\n/, "").split(/^(```[\s\S]*?^```)$/m);
  return parts
    .flatMap((part) => (part.startsWith("```") ? [part] : part.split(/\n{2,}/)))
    .map((part) => part.replace(/^\n+|\s+$/g, ""))
    .filter(Boolean)
    .flatMap(parseBlock);
}

/** @param {string} source @returns {Block[]} */
function parseBlock(source) {
  const lines = source.split("\n");
  const heading = /^(#{1,6}) (.*)$/.exec(lines[0]);
  if (heading) {
    const rest = lines.slice(1).join("\n").trim();
    return [
      { kind: "heading", level: heading[1].length, text: heading[2] },
      ...(rest ? parseBlock(rest) : []),
    ];
  }
  if (lines[0].startsWith("```"))
    return [
      {
        kind: "code",
        text: lines
          .slice(1)
          .join("\n")
          .replace(/\n?```$/, ""),
      },
    ];
  if (lines.every((line) => line.startsWith("|"))) {
    const cells = (/** @type {string} */ line) =>
      line
        .replace(/^\||\|\s*$/g, "")
        .split("|")
        .map((cell) => cell.trim());
    const [head, ...rows] = lines.filter((line) => !/^[|\s:-]+$/.test(line)).map(cells);
    return [{ kind: "table", head, rows }];
  }
  if (/^[-*] /.test(lines[0])) {
    const items = source
      .split(/\n(?=[-*] )/)
      .map((item) => item.replace(/^[-*] /, "").replaceAll(/\n\s*/g, " "));
    return [{ kind: "list", items }];
  }
  return [{ kind: "paragraph", text: lines.join(" ") }];
}

/** @param {Block} block @returns {HTMLElement} */
function blockElement(block) {
  switch (block.kind) {
    case "heading": {
      const level = Math.min(Math.max(block.level + 1, 3), 6); // the dialog's title is the h2
      return h(`h${level}`, {}, ...inline(block.text));
    }
    case "code":
      return h("pre", { tabIndex: 0 }, block.text);
    case "list":
      return h("ul", {}, ...block.items.map((item) => h("li", {}, ...inline(item))));
    case "table":
      return table(block.head, block.rows);
    default:
      return h("p", {}, ...inline(block.text));
  }
}

/** @param {string[]} head @param {string[][]} rows */
function table(head, rows) {
  return h(
    "div.scroll",
    { tabIndex: 0, role: "group", "aria-label": head.join(", ") },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...head.map((cell) => h("th", { scope: "col" }, ...inline(cell))))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell) => h("td", {}, ...inline(cell)))))),
    ),
  );
}

/** Return the `code`, **strong** text and [links](…) of a line. @param {string} text @returns {(Node | string)[]} */
function inline(text) {
  return text
    .split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\(https?:[^)\s]+\))/)
    .filter(Boolean)
    .map((part) => {
      if (part.startsWith("`")) return h("code", {}, part.slice(1, -1));
      if (part.startsWith("**")) return h("strong", {}, part.slice(2, -2));
      const link = /^\[([^\]]+)\]\((https?:[^)\s]+)\)$/.exec(part);
      return link ? h("a", { href: link[2], rel: "noopener noreferrer", target: "_blank" }, link[1]) : part;
    });
}
