import { answer, pageModel } from '../lib/page/answer.js';
import { stopsOf } from '../lib/page/control-fields.js';
import { type Controls, initialControls } from '../lib/page/controls.js';
import { contextChartHtml } from '../lib/page/context-chart.js';
import { curveOf } from '../lib/page/curve.js';
import type { PageInput } from '../lib/page/page-input.js';
import { sectionsOf } from '../lib/page/sections.js';
import { ControlPanel } from './control-panel.js';

/** The chart takes some forty estimates, so it waits until nothing moves. */
const CHART_DELAY_MS = 150;
const NARROWEST = 280;
/** A section's padding and border, left and right; the section itself may be hidden. */
const SECTION_EDGES = 34;

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element ${id}`);
  return found;
}

const model = pageModel(JSON.parse(element('input').textContent ?? '') as PageInput);
const initial = initialControls(model.input, model.shape);
let controls = initial;
let chartTimer: ReturnType<typeof setTimeout> | undefined;

function show(next: Controls): void {
  controls = next;
  const sections = sectionsOf(model, controls, answer(model, controls));
  for (const [id, html] of Object.entries(sections)) element(id).innerHTML = html as string;
  scheduleChart(CHART_DELAY_MS);
}

function scheduleChart(delayMs: number): void {
  clearTimeout(chartTimer);
  element('chart').setAttribute('aria-busy', 'true');
  chartTimer = setTimeout(drawChart, delayMs);
}

function drawChart(): void {
  const chart = element('chart');
  const curve = curveOf(model, controls);
  const open = chart.querySelector('details')?.open === true;
  chart.innerHTML = curve
    ? contextChartHtml(curve, controls.ctxSize, Math.max(NARROWEST, element('results').clientWidth - SECTION_EDGES))
    : '';
  const details = chart.querySelector('details');
  if (details !== null) details.open = open;
  chart.setAttribute('aria-busy', 'false');
}

const panel = new ControlPanel(initial, stopsOf(model, initial), show);
element('reset').addEventListener('click', () => {
  panel.set(initial);
  show(initial);
});
element('controls').hidden = false;
show(initial);
new ResizeObserver(() => scheduleChart(0)).observe(element('results'));
document.documentElement.dataset.ready = 'true';
