/**
 * The look of a report: light and dark as the reader's system has it, one column on a phone, printable.
 * @module
 */

/** The style sheet. Series' colours keep a contrast of at least 3 to 1 with their ground, and differ in brightness. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #fbfaf8; --card: #ffffff; --ink: #1d2126; --quiet: #5a626c; --rule: #dedbd4; --grid: #eceae5; --accent: #0b5c8a;
  --note: #f3efe4; --note-rule: #b98900;
  --s0: #5b6470; --s1: #0b6fb8; --s2: #c2410c; --s3: #0f7b5f; --s4: #8b3fa8; --s5: #9a6b00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171a; --card: #1c2024; --ink: #e8e6e1; --quiet: #a3abb5; --rule: #343a41; --grid: #2a2f35; --accent: #7cc4f2;
    --note: #2a2618; --note-rule: #d8a72a;
    --s0: #aab3bf; --s1: #62b5f0; --s2: #ff9563; --s3: #4fd0a9; --s4: #d49aec; --s5: #e2b93b;
  }
}
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100% }
body {
  margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
main { max-width: 1080px; margin: 0 auto; padding: 40px 24px 72px }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 6px; letter-spacing: -.01em; overflow-wrap: anywhere }
h2 { font-size: 1.25rem; margin: 44px 0 12px; letter-spacing: -.005em }
h3 { font-size: 1rem; margin: 0 0 2px; overflow-wrap: anywhere }
p { margin: 0 0 12px; max-width: 70ch }
.lead { font-size: 1.05rem; color: var(--quiet) }
.note { background: var(--note); border-left: 4px solid var(--note-rule); padding: 12px 16px; border-radius: 4px; max-width: none; margin: 20px 0 0 }
.scroll { overflow-x: auto; border: 1px solid var(--rule); border-radius: 8px; background: var(--card) }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
caption { text-align: left; padding: 10px 14px 0; color: var(--quiet); font-size: .9rem }
th, td { padding: 9px 14px; text-align: right; border-bottom: 1px solid var(--grid); white-space: nowrap; vertical-align: top }
th:first-child, td:first-child { text-align: left }
thead th { color: var(--quiet); font-weight: 600; font-size: .85rem; vertical-align: bottom; border-bottom: 1px solid var(--rule) }
tbody tr:last-child > * { border-bottom: 0 }
tbody th { font-weight: 600 }
td small, th small { display: block; color: var(--quiet); font-weight: 400; font-size: .82rem }
.wraps tbody th, .wraps td { white-space: normal } .wraps td[colspan] { color: var(--ink) }
.best { font-weight: 700 }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 20px }
figure { margin: 0; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 16px 16px 10px; min-width: 0 }
figure p { font-size: .88rem; color: var(--quiet); margin: 0 0 8px; line-height: 1.45 }
svg { display: block; width: 100%; height: auto; font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
svg text { fill: var(--quiet) }
svg text.group { fill: var(--ink); font-weight: 600 }
svg text.over { fill: var(--ink); paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round }
svg .grid { stroke: var(--grid) }
svg .axis { stroke: var(--rule) }
svg .mark { stroke: var(--quiet); stroke-dasharray: 2 4 }
svg .line { fill: none; stroke: currentColor; stroke-width: 2.2; stroke-linejoin: round }
svg circle, svg rect, svg polygon { fill: currentColor }
.s0 { color: var(--s0) } .s1 { color: var(--s1) } .s2 { color: var(--s2) } .s3 { color: var(--s3) } .s4 { color: var(--s4) } .s5 { color: var(--s5) }
.s0 .line { stroke-dasharray: 7 4 } .s2 .line { stroke-width: 2.8 } .s3 .line { stroke-dasharray: 10 3 2 3 } .s4 .line { stroke-dasharray: 3 3 } .s5 .line { stroke-dasharray: 12 4 }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; margin: 0 0 14px; padding: 0; font-size: .92rem }
.legend li { display: flex; align-items: center; gap: 7px }
.legend svg { width: 34px; height: 14px; flex: none }
.legend span { color: var(--ink) }
details { margin: 6px 0 2px; font-size: .86rem }
details .scroll { max-height: 320px; overflow: auto; margin-top: 8px }
details th, details td { padding: 4px 10px }
summary { cursor: pointer; color: var(--accent); padding: 4px 0 }
summary:focus-visible, a:focus-visible, .scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
ul.plain { padding-left: 1.2em; max-width: 74ch } ul.plain li { margin-bottom: 7px }
dl { display: grid; grid-template-columns: minmax(9em, max-content) 1fr; gap: 6px 20px; margin: 0; font-size: .95rem }
dt { color: var(--quiet) } dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 16px 18px; min-width: 0 }
.matrix td { text-align: center } .matrix td.hit { box-shadow: inset 0 0 0 2px var(--rule) }
code { font: .88em ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere }
footer { margin-top: 48px; color: var(--quiet); font-size: .86rem; border-top: 1px solid var(--rule); padding-top: 14px }
@media (max-width: 560px) {
  main { padding: 24px 14px 48px } h1 { font-size: 1.5rem } th, td { padding: 8px 10px } svg { font-size: 15px }
  dl { grid-template-columns: 1fr; gap: 0 } dd { margin-bottom: 8px }
}
@media print { body { background: #fff } .card, figure, .scroll { break-inside: avoid } details { display: none } }
`
