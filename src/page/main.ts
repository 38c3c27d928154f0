import { fromFragment, toFragment } from '../lib/page/controls/address-state.js';
import { adviceHtml } from '../lib/page/advice-section.js';
import { answer, pageModel, type PageModel } from '../lib/page/answer.js';
import { stopsOf } from '../lib/page/controls/control-fields.js';
import { type Controls, initialControls } from '../lib/page/controls/controls.js';
import { commandLine } from '../lib/page/copied-command.js';
import { contextChartHtml } from '../lib/page/context-chart.js';
import { curveOf } from '../lib/page/curve.js';
import type { PageInput } from '../lib/page/page-input.js';
import { sectionsOf } from '../lib/page/sections.js';
import { ControlPanel } from './control-panel.js';

/** Chart and advice take some forty estimates each, so they wait until nothing moves. */
const SLOW_DELAY_MS = 150;
const NARROWEST = 280;
/** A section's padding and border, left and right; the section itself may be hidden. */
const SECTION_EDGES = 34;

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element ${id}`);
  return found;
}

/** Takes over a page that was readable without it; where it cannot, the page stays and says so. */
export function start(): void {
  try {
    new LivePage(pageModel(JSON.parse(element('input').textContent ?? '') as PageInput)).show();
    document.documentElement.dataset.ready = 'true';
  } catch (error) {
    element('failure').textContent =
      `The figures below are those of the check; they cannot be recomputed in this browser (${String(error)}).`;
  }
}

class LivePage {
  readonly #initial: Controls;
  readonly #panel: ControlPanel;
  #controls: Controls;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly model: PageModel) {
    this.#initial = initialControls(model.input, model.shape);
    this.#controls = this.#stated();
    this.#panel = new ControlPanel(this.#controls, stopsOf(model, this.#initial), (controls) => this.#change(controls));
    element('reset').addEventListener('click', () => this.#set(this.#initial));
    window.addEventListener('hashchange', () => this.#set(this.#stated()));
    element('copy').addEventListener('click', () => void copyCommand());
    new ResizeObserver(() => this.#scheduleSlow(0)).observe(element('results'));
  }

  show(): void {
    for (const id of ['controls', 'copy']) element(id).hidden = false;
    const sections = sectionsOf(this.model, this.#controls, answer(this.model, this.#controls));
    for (const [id, html] of Object.entries(sections)) element(id).innerHTML = html as string;
    element('copied').textContent = '';
    this.#scheduleSlow(SLOW_DELAY_MS);
  }

  /** As the address has it. */
  #stated(): Controls {
    return fromFragment(location.hash, this.#initial, this.model.input.quantizations);
  }

  #set(controls: Controls): void {
    this.#panel.set(controls);
    this.#change(controls);
  }

  /** The address follows, so that it can be passed on; each change is no step of the browser's history. */
  #change(controls: Controls): void {
    this.#controls = controls;
    const fragment = toFragment(controls, this.#initial);
    history.replaceState(null, '', fragment === '' ? location.href.replace(/#.*$/, '') : `#${fragment}`);
    this.show();
  }

  #scheduleSlow(delayMs: number): void {
    clearTimeout(this.#timer);
    element('chart').setAttribute('aria-busy', 'true');
    this.#timer = setTimeout(() => this.#drawSlow(), delayMs);
  }

  #drawSlow(): void {
    const chart = element('chart');
    element('advice').innerHTML = adviceHtml(this.model, this.#controls, answer(this.model, this.#controls));
    const curve = curveOf(this.model, this.#controls);
    const open = chart.querySelector('details')?.open === true;
    const width = Math.max(NARROWEST, element('results').clientWidth - SECTION_EDGES);
    chart.innerHTML = curve ? contextChartHtml(curve, this.#controls.ctxSize, width) : '';
    const details = chart.querySelector('details');
    if (details !== null) details.open = open;
    chart.setAttribute('aria-busy', 'false');
  }
}

/** Where the clipboard is closed to pages, the command is selected, to be copied by hand. */
async function copyCommand(): Promise<void> {
  const command = element('command');
  try {
    await navigator.clipboard.writeText(command.textContent ?? '');
    element('copied').textContent = 'Copied';
  } catch {
    getSelection()?.selectAllChildren(command);
    element('copied').textContent = 'Selected: copy it with the keyboard';
  }
}

// What the page answers with, for who would ask it without its controls.
export { answer, commandLine, curveOf, fromFragment, initialControls, pageModel, toFragment };
