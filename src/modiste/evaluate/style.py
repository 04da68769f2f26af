"""The report's style sheet: plain, in light and in dark."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1f; --faint: #5c5c66; --paper: #fbfbfd; --plate: #ffffff;
  --line: #dedee4; --mark: #0a5c9c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9e9ee; --faint: #a2a2ae; --paper: #141417;
  --plate: #1d1d22; --line: #35353d; --mark: #7cc0f5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 16px; }
h2 { font-size: 1.15rem; margin: 0 0 8px; }
h3 { font-size: .95rem; margin: 16px 0 6px; color: var(--faint); font-weight: 600; }
section { border-top: 1px solid var(--line); margin-top: 32px; padding-top: 20px; }
p { margin: 0 0 10px; color: var(--faint); max-width: 70ch; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 0 0 16px; }
dt { color: var(--faint); }
dd { margin: 0; }
.notes { color: var(--faint); padding-left: 20px; margin: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 14px 5px 0; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th:first-child { text-align: left; font-weight: 500; }
thead th { color: var(--faint); font-weight: 600; font-size: .85rem; }
.beside th, .beside td { color: var(--faint); }
.beside th:first-child { padding-left: 16px; }
img { display: block; height: auto; border-radius: 4px; background: #fff; }
figure { margin: 0; }
figcaption { font-size: .78rem; line-height: 1.3; color: var(--faint); overflow-wrap: anywhere; margin-top: 3px; }
.row { display: flex; gap: 8px; overflow-x: auto; padding-bottom: 6px; align-items: flex-start; }
.row figure { flex: none; width: 92px; }
.row figure.asked { margin-right: 12px; padding-right: 12px; border-right: 1px solid var(--line); width: 117px; }
.sheet { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 12px; align-items: center; }
.sheet > img { max-width: 100%; }
.row img { flex: none; }
.sheet span { font-size: .82rem; color: var(--faint); }
.curves { display: flex; flex-wrap: wrap; gap: 20px; }
.curve { width: 340px; max-width: 100%; }
svg { display: block; width: 100%; height: auto; }
svg.map { max-width: 640px; }
svg text { font: 11px system-ui, sans-serif; fill: var(--faint); }
.plate { fill: var(--plate); stroke: var(--line); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 16px; padding: 0; margin: 6px 0 0;
  font-size: .85rem; color: var(--faint); }
.legend span { display: inline-block; width: .8em; height: .8em; border-radius: 50%; margin-right: .4em; }
"""
