import { jsonText } from '../printable.js';
import { adviceHtml } from './advice-section.js';
import { answer, pageModel } from './answer.js';
import { contextChartHtml } from './context-chart.js';
import { controlsHtml, stopsOf } from './controls/control-fields.js';
import { initialControls } from './controls/controls.js';
import { curveOf } from './curve.js';
import { foreign } from './html.js';
import type { PageInput } from './page-input.js';
import { PAGE_STYLE } from './page-style.js';
import { sectionsOf } from './sections.js';

/** Nothing is fetched from anywhere: what runs is in the page. */
const POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** Width of the chart until the page's script knows its own. */
const CHART_WIDTH = 640;

/** The whole page: the answer as it was checked, readable without a script, and the program that recomputes it. */
export function pageDocument(input: PageInput, script: string, version: string): string {
  const model = pageModel(input);
  const initial = initialControls(input, model.shape);
  const answered = answer(model, initial);
  const sections = sectionsOf(model, initial, answered);
  const curve = curveOf(model, initial);
  const chart = curve === undefined ? '' : contextChartHtml(curve, initial.ctxSize, CHART_WIDTH);
  const title = `${foreign(input.model)} (${foreign(model.shape.quantization)})`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="generator" content="llmkube ${foreign(version)}">
<link rel="icon" href="data:,">
<title>Memory of ${title}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<header>
<h1>${foreign(input.model)} <small>${foreign(model.shape.quantization)}</small></h1>
<p class="quiet">What llama-server takes (${input.launch.accelerator}), against the memory of a machine. Header: ${foreign(input.source)}</p>
<p id="failure" role="alert"></p>
</header>
<main>
<section id="verdict" aria-live="polite" aria-label="Verdict">${sections.verdict}</section>
<form id="controls" aria-label="What to change" hidden>${controlsHtml(model, initial, stopsOf(model, initial))}</form>
<div id="results">
<section aria-labelledby="advice-heading"><h2 id="advice-heading">What would fit</h2><div id="advice">${adviceHtml(model, initial, answered)}</div></section>
<section aria-label="Memory, to scale"><div id="bars">${sections.bars}</div></section>
<section aria-labelledby="chart-heading"><h2 id="chart-heading">Memory by context</h2><div id="chart">${chart}</div></section>
<section aria-labelledby="parts-heading"><h2 id="parts-heading">Item by item</h2><div id="parts">${sections.parts}</div></section>
<section aria-labelledby="launch-heading"><h2 id="launch-heading">The launch that these figures hold for</h2><div id="launch">${sections.launch}</div></section>
<section aria-labelledby="notes-heading"><h2 id="notes-heading">Worth knowing</h2><div id="notes">${sections.notes}</div></section>
<section aria-labelledby="command-heading"><h2 id="command-heading">The same as a command</h2><p class="inline"><button type="button" id="copy" hidden>Copy the command</button> <span id="copied" role="status"></span></p><pre id="command" tabindex="0">${sections.command}</pre></section>
</div>
</main>
<footer><p>GB is 2<sup>30</sup> bytes. Written by llmkube ${foreign(version)}; the page works without a network.</p></footer>
<script type="application/json" id="input">${jsonText(input, 0).replaceAll('<', '\\u003c')}</script>
<script>${script}llmkube.start();</script>
</body>
</html>
`;
}
