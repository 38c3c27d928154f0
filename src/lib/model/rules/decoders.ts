import {
  all,
  type ArchitectureRule,
  multiSectionRope,
  optionalWindow,
  slideEvery,
  slidingWindow,
} from '../architecture-rule.js';
import { checkCycles, checkLoops } from '../loading/count-limits.js';
import { refusedByLoader } from '../loading/load-error.js';
import type { Hparams } from '../hparams.js';
import type { Keys } from '../keys.js';

type Adjust = NonNullable<ArchitectureRule['adjust']>;

const plain: ArchitectureRule = { memory: 'attention' };
const rule = (...adjust: Adjust[]): ArchitectureRule => ({ memory: 'attention', adjust: all(...adjust) });

/** The header says which layers have a window. */
const listedWindows = slidingWindow(1);

/** `src/models/afmoe.cpp` (llama.cpp v0.5.0): its graph reads a cache with windows, which it does not have then, and crashes. */
const withoutZeroWindow: Adjust = (_, keys) => {
  if (keys.has('attention.sliding_window') && keys.number('attention.sliding_window', 0) === 0)
    throw refusedByLoader('MODEL_COUNT_INVALID', 'attention.sliding_window is 0, and the graph of afmoe needs windows');
};

/** Every n-th layer, the first one too, is of full attention. */
function fullFirst(pattern: number, fixedWindow?: number): Adjust {
  return (hparams, keys) => {
    hparams.swa = 'standard';
    hparams.nSwa = fixedWindow ?? keys.number('attention.sliding_window', 0);
    slideEvery(hparams, keys, pattern, true);
  };
}

const where =
  (test: (hparams: Hparams, keys: Keys) => boolean, rule: Adjust): Adjust =>
  (hparams, keys, tensors) => {
    if (test(hparams, keys)) rule(hparams, keys, tensors);
  };

const hasWindow = (_: Hparams, keys: Keys): boolean => keys.number('attention.sliding_window', 0) > 0;

/** `llama_hparams::use_mrope`. */
const sectionsGiven = (_: Hparams, keys: Keys): boolean =>
  keys.flagEach('rope.dimension_sections', 2)?.every(Boolean) ?? false;

/** `il < (int) n_deepstack_layers` in `src/models/qwen3vl.cpp`; what they widen the input by is counted in 32 bits, too (`n_embd_inp`). */
function deepstackLayers(hparams: Hparams, keys: Keys): void {
  const count = keys.number('n_deepstack_layers', 0);
  const isNone = count >= 2 ** 31 && (count * hparams.nEmbd) % 2 ** 32 === 0;
  hparams.nDeepstackLayers = isNone ? 0 : count;
}

/** Granite Vision: each layer names the features it adds; how many there are is how many are named, also for layers that there are not. */
function deepstackMapping(hparams: Hparams, keys: Keys): void {
  // In 32 bits with a sign, whatever the file has.
  const given = keys.indices('deepstack_mapping')?.map((index) => index | 0);
  if (!given) return;
  hparams.deepstackOf = hparams.deepstackOf.map((none, layer) => given[layer] ?? none);
  hparams.nDeepstackLayers = new Set(given.filter((index) => index >= 0)).size;
}

/** Granite Switch keeps what chooses its adapters in the cache of a layer more, of one head. */
function routerLayer(hparams: Hparams): void {
  hparams.nLayerAll += 1;
  const last = hparams.nLayer - 1;
  for (const key of PER_LAYER) hparams[key] = [...hparams[key], hparams[key][last]] as never;
  hparams.nHead[last + 1] = 1;
  hparams.nHeadKv[last + 1] = 1;
}

/** Nanbeige runs all its blocks several times; each round has caches of its own. */
function looped(hparams: Hparams, keys: Keys): void {
  const blocks = hparams.nLayer;
  const loops = keys.number('num_loops', 1);
  checkLoops(blocks, loops);
  const layers = blocks * loops;
  const repeated = <T>(values: readonly T[]): T[] => Array.from({ length: layers }, (_, i) => values[i % blocks] as T);
  Object.assign(hparams, { nLayerAll: layers, nLayer: layers });
  for (const key of PER_LAYER) hparams[key] = repeated(hparams[key] as never) as never;
}

const PER_LAYER = [
  'nHead',
  'nHeadKv',
  'nFf',
  'nExpertUsed',
  'nFfExp',
  'isSwa',
  'isRecurrent',
  'deepstackOf',
  'blockOf',
] as const satisfies readonly (keyof Hparams)[];

/** HRM-Text's low stack is block 0 and on, its high stack follows; every pass of a cycle is a run of layers. */
function hierarchical(hparams: Hparams, keys: Keys): void {
  const perStack = keys.required('hrm.layers_per_stack');
  const lowCycles = keys.required('hrm.l_cycles');
  checkCycles(hparams.nLayer, perStack, keys.required('hrm.h_cycles'), lowCycles);
  const passes = lowCycles + 1;
  hparams.blockOf = hparams.blockOf.map((layer) => {
    const high = Math.floor(layer / perStack) % passes === passes - 1;
    return (layer % perStack) + (high ? perStack : 0);
  });
}

/** EXAONE 4 32B is told by its depth. */
const EXAONE_4_32B_LAYERS = 64;

/** Architectures with ordinary attention and nothing else fixed in code. */
const PLAIN = [
  'apertus',
  'arcee',
  'arctic',
  'baichuan',
  'bailingmoe',
  'bailingmoe2',
  'bitnet',
  'bloom',
  'chameleon',
  'chatglm',
  'codeshell',
  'cogvlm',
  'command-r',
  'dbrx',
  'deepseek',
  'deepseek2-ocr',
  'dots1',
  'ernie4_5',
  'ernie4_5-moe',
  'exaone',
  'falcon',
  'gemma',
  'gpt2',
  'gptneox',
  'grovemoe',
  'hunyuan-dense',
  'hunyuan-moe',
  'hy_v3',
  'internlm2',
  'jais',
  'jais2',
  'maincoder',
  'minicpm',
  'minicpm3',
  'mistral3',
  'mpt',
  'nemotron',
  'olmo',
  'olmoe',
  'openelm',
  'orion',
  'pangu-embedded',
  'phi2',
  'phimoe',
  'plamo',
  'plm',
  'pockettts',
  'qwen',
  'qwen2moe',
  'refact',
  'seed_oss',
  'stablelm',
  'starcoder',
  'starcoder2',
  'talkie',
  'xverse',
];

/** Decoders with ordinary attention. */
export const DECODER_RULES: Readonly<Record<string, ArchitectureRule>> = {
  ...Object.fromEntries(PLAIN.map((name) => [name, plain])),
  qwen3vl: rule(multiSectionRope, deepstackLayers),
  qwen3vlmoe: rule(multiSectionRope, deepstackLayers),
  qwen3tts: rule(multiSectionRope, deepstackLayers),
  granite: rule(deepstackMapping),
  granitemoe: rule(deepstackMapping),
  granite_swa: rule(listedWindows, deepstackMapping),
  paddleocr: rule(multiSectionRope),
  qwen2vl: rule(multiSectionRope),
  glm4: rule(where(sectionsGiven, multiSectionRope)),
  hunyuan_vl: rule(where(sectionsGiven, multiSectionRope)),
  exaone4: rule(where(({ nLayer }) => nLayer === EXAONE_4_32B_LAYERS, slidingWindow(4, 4096))),
  'exaone-moe': rule(slidingWindow(4, 128)),
  mellum: rule(optionalWindow(4)),
  afmoe: rule(withoutZeroWindow, optionalWindow(4)),
  plamo3: rule(optionalWindow(8)),
  'muse-glimmer': rule(slidingWindow(4)),
  maple: rule(listedWindows),
  mimo2: rule(listedWindows),
  spark2_5: rule(listedWindows),
  beam: rule(listedWindows),
  flint: rule(listedWindows),
  kolibri1: rule(listedWindows),
  'maion-coder': rule(listedWindows),
  'muse-spark': rule(listedWindows),
  step35: rule(listedWindows),
  deci: plain,
  smallthinker: rule(where(hasWindow, fullFirst(4, 4096))),
  grok: rule((hparams) => {
    hparams.attnSoftCap = true;
  }),
  nanbeige: rule(looped),
  hrm_text: rule(hierarchical),
  graniteswitch: rule(routerLayer),
  laguna: rule(where(hasWindow, fullFirst(4))),
  cohere2moe: rule(fullFirst(4)),
};
