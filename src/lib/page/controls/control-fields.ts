import { speculationOf } from '../../estimate/draft/speculation.js';
import { GPU_SIZES_GB, MAC_SIZES_GB } from '../../host/memory-sizes.js';
import type { ModelShape } from '../../model/model-shape.js';
import { CACHE_TYPES } from '../../runtime/launch-options.js';
import { usesDraft } from '../../runtime/options/draft-options.js';
import { parseServerArguments } from '../../runtime/server-arguments.js';
import type { PageModel } from '../answer.js';
import { type Controls, memoryMatters } from './controls.js';
import { longestContext } from '../curve.js';

const GIB = 2 ** 30;

const SLOTS = [1, 2, 3, 4, 6, 8, 12, 16, 32, 64];
const UBATCHES = [64, 128, 256, 512, 1024, 2048, 4096];
const CONTEXTS = [1, 1.5].flatMap((factor) => Array.from({ length: 13 }, (_, i) => factor * 512 * 2 ** i));

/** The stops of a slider, smallest first; the value that the check was made with is always one of them. */
export interface Stops {
  readonly contexts: readonly number[];
  readonly memoryBytes: readonly number[];
  readonly gpuBytes: readonly number[];
  /** Of each GPU of the check. */
  readonly eachGpu: readonly number[];
  readonly allLayers: number;
  /** What stands for all of them: null where the check left it to llama-server. */
  readonly everyLayer: number | null;
}

export function stopsOf(model: PageModel, initial: Controls): Stops {
  const longest = longestContext(model, initial.ctxSize);
  const gpu = initial.gpuBytes === null ? [] : [...GPU_SIZES_GB.map((size) => size * GIB), initial.gpuBytes];
  return {
    contexts: ordered([...CONTEXTS.filter((context) => context < longest), initial.ctxSize, longest]),
    memoryBytes: ordered([...MAC_SIZES_GB.map((size) => size * GIB), initial.totalBytes]),
    gpuBytes: ordered(gpu),
    eachGpu: model.input.host.gpus?.map(({ totalBytes }) => totalBytes) ?? [],
    allLayers: allLayers(model.shape),
    everyLayer: initial.gpuLayers === null ? null : allLayers(model.shape),
  };
}

/** The form; every control has a label, sliders a text beside them. Its values are set by the page's script. */
export function controlsHtml(model: PageModel, initial: Controls, { contexts, memoryBytes, gpuBytes }: Stops): string {
  const { input, shape, beside } = model;
  const types = CACHE_TYPES.map((type) => [type, type] as const);
  const slots = ordered([...SLOTS, ...(initial.slots === null ? [] : [initial.slots])]);
  const slotOptions = [['', 'auto (4)'] as const, ...slots.map((count) => [String(count), String(count)] as const)];
  const ubatches = ordered([...UBATCHES, initial.ubatchSize]).map((size) => [String(size), String(size)] as const);
  const byBudget = initial.budgetBytes !== null;
  const quantizations = [
    [initial.quantization ?? '', shape.quantization] as const,
    ...model.variants.map(({ quantization: name }) => [name, `about ${name}`] as const),
  ];
  const drafts = speculationOf(input.launch, beside.draft).types.some(usesDraft);
  const said = parseServerArguments(input.extraWords).options;
  // What llama-server's own arguments load, no flag takes away.
  const canLeaveOut = {
    projector: beside.projector !== undefined && said.mmproj === undefined,
    draft: (drafts || beside.draft !== undefined) && said.draft === undefined && said.specTypes === undefined,
  };
  const canOffload = input.launch.accelerator !== 'cpu';
  const gpus = input.host.gpus?.length ?? 1;
  return `<fieldset><legend>Launch</legend>
${quantizations.length > 1 ? select('quantization', 'Quantization', quantizations) : ''}
${slider('context', 'Context', contexts.length - 1)}
${number('context-exact', 'Tokens, exactly', 'min="1" step="1"')}
${select('slots', 'Slots', slotOptions)}
<label class="check"><input type="checkbox" id="unified"> <span>Slots share one KV cache <small class="quiet">(with “auto” they always do)</small></span></label>
${select('cache-k', 'K cache type', types)}
${select('cache-v', 'V cache type', types)}
${select('ubatch', 'Ubatch size', ubatches)}
${canOffload ? slider('gpu-layers', gpus > 1 ? `Layers on ${gpus} GPUs` : 'Layers on the GPU', allLayers(shape)) : ''}
${canLeaveOut.projector ? '<label class="check"><input type="checkbox" id="projector"> Projector is loaded</label>' : ''}
${canLeaveOut.draft ? `<label class="check"><input type="checkbox" id="draft"> ${beside.draft ? 'Draft is loaded' : 'The model drafts with its own head'}</label>` : ''}
${drafts ? number('draft-max', 'Tokens drafted at a time', 'min="0" max="1024" step="1" placeholder="3"') : ''}
</fieldset>
<fieldset><legend>Machine</legend>
${byBudget ? number('budget', 'Budget in GB', 'min="0" step="any"') : ''}
${memoryMatters(input) ? slider('memory', 'Memory', memoryBytes.length - 1) : ''}
${byBudget ? '' : slider('in-use', 'In use', 0)}
${byBudget ? '' : slider('fraction', 'Fraction', 100, 'min="30"')}
${initial.gpuBytes === null ? '' : slider('gpu', gpus > 1 ? 'Memory of each GPU' : 'GPU memory', gpuBytes.length - 1)}
</fieldset>
<button type="button" id="reset">Back to what was checked</button>`;
}

/** The output head counts as one. */
function allLayers({ hparams }: ModelShape): number {
  return hparams.nLayerAll + 1;
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
