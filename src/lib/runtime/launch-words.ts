import { deviceName, deviceWords } from './options/device-options.js';
import { draftFileWords, listsBefore } from './options/draft-options.js';
import { llamaCpp, type LlamaCpp } from './llama-cpp.js';
import { AUTO_GPU_LAYERS, type LaunchOptions, withoutOptions } from './launch-options.js';
import type { LaunchPatch } from './options/server-options.js';
import { parseServerArguments } from './server-arguments.js';

type Option = keyof Omit<LaunchOptions, 'accelerator' | 'cpuArch'>;
type Words<K extends Option> = (
  value: NonNullable<LaunchOptions[K]>,
  launch: LaunchOptions,
  version: LlamaCpp,
) => readonly string[];

/** The first build that surely has `--load-mode`. */
const HAS_LOAD_MODE = 10472;

const nothing = (): readonly string[] => [];
const value =
  (name: string) =>
  (given: number | string): readonly string[] => [name, String(given)];
const toggle =
  (on: string | undefined, off: string | undefined) =>
  (isOn: boolean): readonly string[] => {
    const word = isOn ? on : off;
    return word === undefined ? [] : [word];
  };

/** How llama-server spells each option; those of the machine and of what will be sent are no words of its own. */
const WORDS: { readonly [K in Option]-?: Words<K> } = {
  ctxSize: value('--ctx-size'),
  ropeScaling: value('--rope-scaling'),
  ropeFreqScale: value('--rope-freq-scale'),
  yarnOrigCtx: value('--yarn-orig-ctx'),
  parallel: value('--parallel'),
  kvUnified: toggle('--kv-unified', '--no-kv-unified'),
  batchSize: value('--batch-size'),
  ubatchSize: value('--ubatch-size'),
  flashAttn: value('--flash-attn'),
  cacheTypeK: value('--cache-type-k'),
  cacheTypeV: value('--cache-type-v'),
  gpuLayers: (layers) => (layers === AUTO_GPU_LAYERS ? [] : ['--n-gpu-layers', layers < 0 ? 'all' : String(layers)]),
  // Written together, by `deviceWords`.
  devices: nothing,
  splitMode: nothing,
  tensorSplit: nothing,
  mainGpu: nothing,
  tensorOverrides: nothing,
  noHost: nothing,
  gpus: nothing,
  gpuMemory: nothing,
  unifiedMemory: nothing,
  kvOffload: toggle(undefined, '--no-kv-offload'),
  opOffload: toggle(undefined, '--no-op-offload'),
  mmap: (mapped, { mlock }, { build }) => {
    if (build.to < HAS_LOAD_MODE) return mapped ? [] : ['--no-mmap'];
    const modes = mlock ? { mapped: 'mmap+mlock', read: 'mlock' } : { mapped: 'mmap', read: 'none' };
    return ['--load-mode', mapped ? modes.mapped : modes.read];
  },
  mlock: (locks, { mmap }, { build }) => {
    if (!locks) return [];
    if (build.to < HAS_LOAD_MODE) return ['--mlock'];
    return mmap === undefined ? ['--load-mode', 'mmap+mlock'] : [];
  },
  repack: toggle(undefined, '--no-repack'),
  swaFull: toggle('--swa-full', undefined),
  cpuMoeLayers: (layers) => (layers === Infinity ? ['--cpu-moe'] : layers > 0 ? ['--n-cpu-moe', String(layers)] : []),
  expertCacheMiB: value('--moe-cache-mib'),
  mode: (mode) => (mode === 'embedding' ? ['--embedding'] : mode === 'rerank' ? ['--rerank'] : []),
  cacheRamMiB: value('--cache-ram'),
  fit: (isOn) => (isOn ? [] : ['--fit', 'off']),
  fitTargetMiB: (target) => ['--fit-target', [target].flat().join()],
  fitCtx: value('--fit-ctx'),
  llamaCpp: nothing,
  ctxCheckpoints: value('--ctx-checkpoints'),
  // Where it lies decides how it is named.
  mmproj: nothing,
  mmprojAuto: toggle(undefined, '--no-mmproj'),
  mmprojDevice: (gpu, { accelerator }) => ['--mmproj-device', deviceName(accelerator, gpu)],
  mmprojOffload: toggle(undefined, '--no-mmproj-offload'),
  imageMinTokens: value('--image-min-tokens'),
  imageMaxTokens: value('--image-max-tokens'),
  mtmdBatchMaxTokens: value('--mtmd-batch-max-tokens'),
  warmup: toggle(undefined, '--no-warmup'),
  images: nothing,
  audioSeconds: nothing,
  draft: (source) => draftFileWords(source) ?? ['--spec-draft-model', source],
  specTypes: (types) => ['--spec-type', types.join()],
  draftMax: value('--spec-draft-n-max'),
  ngramMax: value('--spec-ngram-mod-n-max'),
  draftUbatchSize: value('--spec-draft-n-ubatch'),
  draftGpuLayers: (layers) => (layers < 0 ? [] : ['--spec-draft-ngl', String(layers)]),
  draftCacheTypeK: value('--spec-draft-type-k'),
  draftCacheTypeV: value('--spec-draft-type-v'),
  draftDevice: value('--spec-draft-device'),
  backendSampling: toggle(undefined, '--no-spec-draft-backend-sampling'),
  adapters: (files, { adapterScale }) =>
    adapterScale === 0 ? ['--lora-scaled', files.map((file) => `${file}:0`).join()] : ['--lora', files.join()],
  // With the adapters.
  adapterScale: nothing,
  controlVectors: (files) => ['--control-vector', files.join()],
  // Its file is said by `controlVectors`.
  controlVector: nothing,
};

/**
 * A launch as words of llama-server's command line, in the spelling of the launch's llama.cpp: read again by
 * `parseServerArguments`, they are the same launch. What `extraWords` say already is said by them alone; what they say
 * otherwise is said after them.
 */
export function launchWords(launch: LaunchOptions, extraWords: readonly string[]): readonly string[] {
  const version = llamaCpp(launch.llamaCpp);
  const said = parseServerArguments(extraWords).options;
  const lists = withoutOptions(launch, 'specTypes', 'adapters', 'controlVectors');
  const stated: LaunchOptions = { ...lists, ...listsBefore(launch, said) };
  const words = (names: readonly Option[]): readonly string[] =>
    names.flatMap((name) => {
      const given = stated[name];
      const write = WORDS[name] as Words<Option>;
      return given === undefined || isSame(said[name], given) ? [] : write(given, launch, version);
    });
  const isChanged = (name: Option): boolean => said[name] !== undefined && !ADD_UP.includes(name);
  const names = Object.keys(WORDS) as Option[];
  return [
    ...words(names.filter((name) => !isChanged(name))),
    ...deviceWords(withoutSame(launch, said), launch.accelerator),
    ...extraWords,
    ...words(names.filter(isChanged)),
  ];
}

const ADD_UP: readonly Option[] = ['specTypes', 'adapters', 'controlVectors'];

function withoutSame(launch: LaunchOptions, said: LaunchPatch): LaunchOptions {
  const own = Object.entries(launch).filter(([name, given]) => !isSame(said[name as keyof LaunchPatch], given));
  return { ...Object.fromEntries(own), accelerator: launch.accelerator };
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
