import { CACHE_TYPES } from '../runtime/launch-options.js';
import type { PageModel } from './answer.js';
import { type Controls, memoryMatters } from './controls.js';
import { longestContext } from './curve.js';
import type { PageInput } from './page-input.js';

const GIB = 2 ** 30;

/** Memory of Macs as sold, in GB. */
const MAC_SIZES = [8, 16, 18, 24, 32, 36, 48, 64, 96, 128, 192, 256, 512];
const GPU_SIZES = [6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 80, 96, 141, 192];
const SLOTS = [1, 2, 3, 4, 6, 8, 12, 16, 32, 64];
const UBATCHES = [64, 128, 256, 512, 1024, 2048, 4096];
const CONTEXTS = [1, 1.5].flatMap((factor) => Array.from({ length: 13 }, (_, i) => factor * 512 * 2 ** i));

/** The stops of a slider, smallest first; the value that the check was made with is always one of them. */
export interface Stops {
  readonly contexts: readonly number[];
  readonly memoryBytes: readonly number[];
  readonly gpuBytes: readonly number[];
}

export function stopsOf(model: PageModel, initial: Controls): Stops {
  const longest = longestContext(model, initial.ctxSize);
  const gpu = initial.gpuBytes === null ? [] : [...GPU_SIZES.map((size) => size * GIB), initial.gpuBytes];
  return {
    contexts: ordered([...CONTEXTS.filter((context) => context < longest), initial.ctxSize, longest]),
    memoryBytes: ordered([...MAC_SIZES.map((size) => size * GIB), initial.totalBytes]),
    gpuBytes: ordered(gpu),
  };
}

/** The form; every control has a label, sliders a text beside them. Its values are set by the page's script. */
export function controlsHtml(input: PageInput, initial: Controls, { contexts, memoryBytes, gpuBytes }: Stops): string {
  const types = CACHE_TYPES.map((type) => [type, type] as const);
  const slots = ordered([...SLOTS, ...(initial.slots === null ? [] : [initial.slots])]);
  const slotOptions = [['', 'auto (4)'] as const, ...slots.map((count) => [String(count), String(count)] as const)];
  const ubatches = ordered([...UBATCHES, initial.ubatchSize]).map((size) => [String(size), String(size)] as const);
  const byBudget = initial.budgetBytes !== null;
  return `<fieldset><legend>Launch</legend>
${slider('context', 'Context', contexts.length - 1)}
${number('context-exact', 'Tokens, exactly', 'min="1" step="1"')}
${select('slots', 'Slots', slotOptions)}
<label class="check"><input type="checkbox" id="unified"> Slots share one KV cache</label>
${select('cache-k', 'K cache type', types)}
${select('cache-v', 'V cache type', types)}
${select('ubatch', 'Ubatch size', ubatches)}
</fieldset>
<fieldset><legend>Machine</legend>
${byBudget ? number('budget', 'Budget in GB', 'min="0" step="any"') : ''}
${memoryMatters(input) ? slider('memory', 'Memory', memoryBytes.length - 1) : ''}
${byBudget ? '' : slider('in-use', 'In use', 0)}
${byBudget ? '' : slider('fraction', 'Fraction', 100, 'min="30"')}
${initial.gpuBytes === null ? '' : slider('gpu', 'GPU memory', gpuBytes.length - 1)}
</fieldset>
<button type="button" id="reset">Back to what was checked</button>`;
}

function slider(id: string, label: string, max: number, more = 'min="0"'): string {
  return `<p class="field"><label for="${id}">${label}</label> <output for="${id}" id="${id}-text"></output><input type="range" id="${id}" ${more} max="${max}" step="1"></p>`;
}

function number(id: string, label: string, more: string): string {
  return `<p class="field inline"><label for="${id}">${label}</label><input type="number" inputmode="decimal" id="${id}" ${more}></p>`;
}

function select(id: string, label: string, options: readonly (readonly [value: string, text: string])[]): string {
  const items = options.map(([value, text]) => `<option value="${value}">${text}</option>`);
  return `<p class="field inline"><label for="${id}">${label}</label><select id="${id}">${items.join('')}</select></p>`;
}

function ordered(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}
