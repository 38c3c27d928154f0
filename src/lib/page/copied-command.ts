import { type Controls, hostWith, memoryMatters } from './controls/controls.js';
import { listsBefore, usesDraft } from '../runtime/options/draft-options.js';
import { parseServerArguments } from '../runtime/server-arguments.js';
import { deviceWords } from '../runtime/options/device-options.js';
import { shellWord } from '../shell-word.js';
import type { PageInput } from './page-input.js';
import { SERVER_DEFAULTS } from '../runtime/server-defaults.js';

type Option = readonly string[];

/** Left out of the command, for brevity. */
const DEFAULTS: Readonly<Record<string, string>> = {
  '--cache-type-k': SERVER_DEFAULTS.cacheType,
  '--cache-type-v': SERVER_DEFAULTS.cacheType,
  '--ubatch-size': '512',
};

/** The command whose answer equals the page's. A shell takes it as it stands. */
export function commandLine(input: PageInput, controls: Controls): string {
  const launch = [
    ...controlledOptions(input, controls).filter(
      ([name = '', value]) => !(name in DEFAULTS && value === DEFAULTS[name]),
    ),
    ...givenOptions(input),
    ...projectorOptions(input, controls),
    ...draftOptions(input, controls),
    ...adapterOptions(input),
    ...deviceOptions(input),
  ];
  const words = [
    ...['llmkube', 'check-memory', input.model, ...quantizationOption(controls), ...input.modelOptions],
    ...['--accelerator', input.launch.accelerator],
    ...launch.flat(),
    ...machineOptions(input, controls).flat(),
    ...extraArgs(input, controls),
  ];
  return words.map(shellWord).join(' ');
}

/** llama-server's own options win over llmkube's, and its last ones over its first, so what was changed is said again. */
function extraArgs(input: PageInput, controls: Controls): string[] {
  const { extraWords } = input;
  if (extraWords.length === 0) return [];
  const { slots, kvUnified } = controls;
  const sharing = slots === null ? ['--parallel', '-1'] : kvUnified ? [] : ['--no-kv-unified'];
  const words = [...extraWords, ...controlledOptions(input, controls).flat(), ...sharing];
  return [`--extra-args=${words.map(shellWord).join(' ')}`];
}

/** Spelled alike by llmkube and llama-server. */
function controlledOptions({ launch: { accelerator } }: PageInput, controls: Controls): Option[] {
  const { ctxSize, slots, kvUnified, cacheTypeK, cacheTypeV, ubatchSize, gpuLayers, draftMax } = controls;
  return [
    ['--ctx-size', String(ctxSize)],
    slots === null ? [] : ['--parallel', String(slots)],
    slots !== null && kvUnified ? ['--kv-unified'] : [],
    ['--cache-type-k', cacheTypeK],
    ['--cache-type-v', cacheTypeV],
    ['--ubatch-size', String(ubatchSize)],
    // Named, or llama-server would choose others than the page counts where a control is moved.
    accelerator === 'cpu' && gpuLayers === null
      ? []
      : ['--gpu-layers', gpuLayers === null || gpuLayers < 0 ? 'all' : String(gpuLayers)],
    draftMax === null ? [] : ['--spec-draft-n-max', String(draftMax)],
  ];
}

function givenOptions({ launch }: PageInput): Option[] {
  const { llamaCpp, batchSize, flashAttn, kvOffload, mmap, swaFull, cacheRamMiB } = launch;
  return [
    llamaCpp === undefined ? [] : ['--llama-cpp', llamaCpp],
    batchSize === undefined ? [] : ['--batch-size', String(batchSize)],
    flashAttn === 'on' ? ['--flash-attn'] : flashAttn === 'off' ? ['--no-flash-attn'] : [],
    kvOffload === false ? ['--no-kv-offload'] : [],
    mmap === false ? ['--no-mmap'] : [],
    swaFull === true ? ['--swa-full'] : [],
    cacheRamMiB === undefined ? [] : [`--cache-ram=${cacheRamMiB}`],
  ];
}

function quantizationOption({ quantization }: Controls): Option {
  return quantization === null ? [] : ['--quantization', quantization];
}

function projectorOptions({ launch }: PageInput, { projector }: Controls): Option[] {
  const { mmproj, mmprojOffload, imageMinTokens, imageMaxTokens } = launch;
  const none = projector ? [] : ['--no-mmproj'];
  return [
    projector && mmproj !== undefined ? ['--mmproj', mmproj] : none,
    mmprojOffload === false ? ['--no-mmproj-offload'] : [],
    imageMinTokens === undefined ? [] : ['--image-min-tokens', String(imageMinTokens)],
    imageMaxTokens === undefined ? [] : ['--image-max-tokens', String(imageMaxTokens)],
  ];
}

/** Types and adapters add up, so what --extra-args says of them is said there alone. */
function draftOptions({ launch, extraWords, draftReason }: PageInput, { draft: drafts }: Controls): Option[] {
  const said = parseServerArguments(extraWords).options;
  const { draft, draftGpuLayers, draftCacheTypeK, draftCacheTypeV, draftDevice } = launch;
  const { specTypes: types = [] } = listsBefore(launch, said);
  const kept = drafts ? types : types.filter((type) => !usesDraft(type));
  const isNamed = drafts && draft !== undefined && draftReason !== 'catalog' && said.draft === undefined;
  const isOff = !drafts && kept.length === 0 && said.specTypes === undefined;
  return [
    isNamed ? ['--spec-draft-model', draft] : [],
    kept.length > 0 ? ['--spec-type', kept.join()] : isOff ? ['--spec-type', 'none'] : [],
    draftGpuLayers === undefined || draftGpuLayers < 0 ? [] : ['--spec-draft-ngl', String(draftGpuLayers)],
    draftCacheTypeK === undefined ? [] : ['--spec-draft-type-k', draftCacheTypeK],
    draftCacheTypeV === undefined ? [] : ['--spec-draft-type-v', draftCacheTypeV],
    draftDevice === undefined ? [] : ['--spec-draft-device', draftDevice],
  ];
}

function adapterOptions({ launch, extraWords }: PageInput): Option[] {
  const { adapters = [], controlVectors = [] } = listsBefore(launch, parseServerArguments(extraWords).options);
  return [...adapters.map((file) => ['--lora', file]), ...controlVectors.map((file) => ['--control-vector', file])];
}

/** Saying again what --extra-args says changes nothing. */
function deviceOptions({ launch }: PageInput): Option[] {
  return [deviceWords({ ...launch, noHost: false }, launch.accelerator)];
}

/** A machine that was measured and left as it was is measured again. */
function machineOptions(input: PageInput, controls: Controls): Option[] {
  const { totalBytes, inUseBytes, fraction, budgetBytes, gpuBytes } = controls;
  const { host } = input;
  const same = !memoryMatters(input) || (host.source === 'measured' && totalBytes === host.totalBytes);
  const inUse = !same || inUseBytes !== host.inUseBytes;
  return [
    same ? [] : ['--system-memory', quantity(totalBytes)],
    inUse ? ['--in-use', quantity(inUseBytes)] : [],
    fraction === null ? [] : ['--memory-fraction', String(fraction)],
    budgetBytes === null ? [] : ['--memory-budget', quantity(budgetBytes)],
    gpuBytes === null
      ? []
      : [
          '--gpu-memory',
          hostWith(input, controls)
            .gpus?.map(({ totalBytes }) => quantity(totalBytes))
            .join() ?? '',
        ],
    host.unifiedMemory ? ['--unified-memory'] : [],
  ];
}

/** The shortest spelling that stands for exactly these bytes. */
function quantity(bytes: number): string {
  for (const decimals of [0, 1, 2]) {
    const text = (bytes / 2 ** 30).toFixed(decimals);
    if (bytes > 0 && Math.floor(Number(text) * 2 ** 30) === bytes) return `${Number(text)}Gi`;
  }
  return String(bytes);
}
