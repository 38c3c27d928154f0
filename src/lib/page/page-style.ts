/** Light and dark by the reader's own setting; one column on a phone, two where there is room. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #f6f7f9; --card: #ffffff; --ink: #1b1f24; --quiet: #59636e; --rule: #d5dae0; --accent: #1f5fc4;
  --fits: #17693a; --fits-paper: #e3f4e9; --tight: #7a5200; --tight-paper: #fdf1d6;
  --over: #a3201d; --over-paper: #fde7e6; --unknown-paper: #e8eaee;
  --in-use: #8b929b; --weights: #2f6fd0; --kv: #d97706; --recurrent: #0f8f80; --compute: #8a4fd0;
  --output: #c03a83; --overhead: #7b7f2c; --track: #e6e9ed;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12151a; --card: #1b2027; --ink: #e7eaee; --quiet: #a2acb8; --rule: #363e49; --accent: #7fb0ff;
    --fits: #7fdca2; --fits-paper: #143021; --tight: #f5c566; --tight-paper: #362a10;
    --over: #ff9c96; --over-paper: #401a19; --unknown-paper: #2a3039;
    --in-use: #7d8691; --weights: #5b95ee; --kv: #f0a044; --recurrent: #35b8a7; --compute: #b187ee;
    --output: #e572ac; --overhead: #b0b552; --track: #2b323b;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 1120px; margin: 0 auto; padding: 0 16px; }
header { padding-top: 20px; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h1 small { font-weight: 500; color: var(--quiet); font-size: 1.1rem; }
h2 { font-size: 1.05rem; margin: 0 0 8px; }
p { margin: 0 0 8px; }
.quiet, figcaption, footer { color: var(--quiet); font-size: 0.9rem; overflow-wrap: anywhere; }
figcaption strong { color: var(--ink); font-size: 1rem; }
section, fieldset { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 14px 16px; margin: 0 0 14px; min-width: 0; }
main { display: grid; gap: 0 16px; grid-template-columns: minmax(0, 1fr); align-items: start; }
.verdict { margin: 0; border-radius: 10px; padding: 12px 16px; border: 1px solid; overflow-wrap: anywhere; }
.verdict strong { font-size: 1.35rem; margin-right: 6px; }
.verdict.fits { background: var(--fits-paper); color: var(--fits); }
.verdict.tight { background: var(--tight-paper); color: var(--tight); }
.verdict.does-not-fit, .verdict.refused { background: var(--over-paper); color: var(--over); }
.verdict.unknown { background: var(--unknown-paper); }
#verdict { position: sticky; top: 0; z-index: 2; grid-column: 1 / -1; padding: 8px 0; margin-bottom: 6px; background: var(--paper); border: 0; border-radius: 0; }
#results { min-width: 0; }
#results section:has(> div:empty) { display: none; }
legend { font-weight: 600; padding: 0 6px; }
.field { margin: 0 0 12px; }
.field output { float: right; color: var(--quiet); font-variant-numeric: tabular-nums; }
.field input[type='range'] { display: block; width: 100%; height: 28px; margin: 0; accent-color: var(--accent); }
.inline { display: flex; align-items: center; justify-content: space-between; gap: 12px; }
.check { display: flex; gap: 8px; align-items: center; min-height: 32px; margin-bottom: 8px; }
.check input { width: 18px; height: 18px; accent-color: var(--accent); }
select, input[type='number'], button { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--quiet); border-radius: 6px; padding: 5px 8px; min-height: 38px; }
select, input[type='number'] { width: 9.5rem; flex-shrink: 0; }
button { padding: 6px 14px; cursor: pointer; margin-bottom: 14px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
figure { margin: 0 0 14px; }
figure:last-child { margin-bottom: 0; }
.bar { position: relative; height: 34px; margin-top: 8px; background: var(--track); border-radius: 4px; }
.segment { position: absolute; top: 0; bottom: 0; border-right: 1px solid var(--card); min-width: 1px; }
.end { position: absolute; top: -5px; bottom: -5px; width: 3px; margin-left: -1.5px; background: var(--ink); }
.scale { position: relative; height: 1.4em; font-size: 0.8rem; color: var(--quiet); margin-top: 5px; }
.end-label { position: absolute; transform: translateX(-50%); white-space: nowrap; color: var(--ink); }
.end-label.late { transform: translateX(-100%); }
.end-label.early { transform: none; }
.legend { list-style: none; margin: 8px 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 0.9rem; }
.legend b { font-weight: 600; font-variant-numeric: tabular-nums; }
.swatch { display: inline-block; width: 12px; height: 12px; border-radius: 2px; margin-right: 6px; }
.in-use { background: var(--in-use); }
.segment.weights, .swatch.weights { background: var(--weights); }
.kv { background: var(--kv); }
.recurrent { background: var(--recurrent); }
.compute { background: var(--compute); }
.output { background: var(--output); }
.overhead { background: var(--overhead); }
.growth { background: repeating-linear-gradient(135deg, var(--quiet) 0 2px, transparent 2px 7px); border: 1px solid var(--quiet); }
svg { display: block; max-width: 100%; height: auto; }
.grid { stroke: var(--rule); stroke-width: 1; }
.tick { fill: var(--quiet); font-size: 12px; }
.line { fill: none; stroke: var(--weights); stroke-width: 2.5; stroke-linejoin: round; }
.budget { stroke: var(--over); stroke-width: 2; stroke-dasharray: 7 4; }
.budget-label { fill: var(--over); font-size: 12.5px; font-weight: 600; paint-order: stroke; stroke: var(--card); stroke-width: 4px; }
.chosen { stroke: var(--quiet); stroke-dasharray: 2 3; }
.dot { fill: var(--weights); stroke: var(--card); stroke-width: 2; }
.dot.over { fill: var(--over); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 0.95rem; }
th, td { text-align: left; padding: 5px 8px 5px 0; border-bottom: 1px solid var(--rule); font-weight: 400; }
thead th { color: var(--quiet); font-size: 0.85rem; }
th + td, thead th:nth-child(2) { text-align: right; padding-right: 16px; }
.total th, .total td { font-weight: 700; border-bottom: 0; }
summary { cursor: pointer; margin-top: 10px; color: var(--accent); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 8px 16px; margin: 0; }
dl .wide { grid-column: 1 / -1; overflow-wrap: anywhere; }
dt { color: var(--quiet); font-size: 0.85rem; }
dd { margin: 0; }
#notes ul, #advice ul { margin: 0; padding-left: 1.2em; overflow-wrap: anywhere; }
#advice li { margin-bottom: 8px; }
#advice code { font: 0.9rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
#advice code + span { display: block; color: var(--quiet); }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 0.88rem/1.5 ui-monospace, monospace; }
footer { padding-bottom: 28px; }
@media (min-width: 860px) {
  html[data-ready] main { grid-template-columns: 340px minmax(0, 1fr); }
  #controls { position: sticky; top: 84px; max-height: calc(100vh - 92px); overflow-y: auto; }
}
@media (max-width: 420px) { .verdict strong { display: block; font-size: 1.2rem; } .verdict { font-size: 0.92rem; padding: 8px 12px; } }
@media (forced-colors: active) { .segment, .swatch { border: 1px solid CanvasText; forced-color-adjust: none; } }
@media print { #controls, #verdict { position: static; } #controls { display: none; } }
`;
