import { CACHE_TYPES, type Accelerator, type CacheType, type GpuMemory } from './launch-options.js';
import { table } from '../table.js';
import type { LaunchPatch } from './options/server-options.js';
import { MAX_SLOTS } from './server-defaults.js';

const MIB = 2 ** 20;
const INT32_MAX = 2 ** 31 - 1;

export type LoggedKind = 'model' | 'KV' | 'RS' | 'MoE' | 'compute' | 'output';

/** One line such as `llama_kv_cache:      CUDA0 KV buffer size =   180.00 MiB`. */
export interface LoggedBuffer {
  readonly kind: LoggedKind;
  /** As llama.cpp names it: `CPU_Mapped`, `CUDA0`, `CUDA_Host`. */
  readonly buffer: string;
  /** As printed, which is rounded to hundredths. */
  readonly mebibytes: number;
}

/** What llama-server's output says of one model: what it was told, and what it allocated. */
export interface ServerLog {
  readonly modelPath: string | undefined;
  readonly accelerator: Accelerator;
  readonly cpuArch: 'arm' | 'x86' | undefined;
  readonly launch: LaunchPatch;
  readonly buffers: readonly LoggedBuffer[];
}

const BUFFER = /^.*?\b(\w+):\s+(\S+)\s+(model|KV|RS|MoE|compute|output) (?:buffer|cache) size =\s*(\d+\.\d+) MiB/;
/** The only lines that may be one. */
const BUFFER_LINE = /^[^\n]* size =[^\n]*/gm;
/** A projector's buffers, by the functions of `tools/mtmd/clip.cpp` that print them. */
const PROJECTOR = /clip|mtmd|warmup|compute_meta/;
const LOADED = /loaded meta data with \d+ key-value pairs and \d+ tensors from (.+?) \(version/;
const DEVICE = /using device ([A-Za-z]+)(\d+) .* - (\d+) MiB free/;
/** Lines of requests may be longer; none that is read here is, and searching long ones takes long. */
const MAX_LINE_LENGTH = 4096;
/** `GGML_CUDA_MAX_DEVICES` in `ggml/include/ggml-cuda.h` of llama.cpp v0.5.0. */
const MAX_DEVICES = 16;
const OFFLOADED = /offloaded (\d{1,6})\/(\d+) layers to GPU/;

/** Devices' names, before their number. */
const ACCELERATORS = table<Accelerator>({
  CUDA: 'cuda',
  ROCm: 'rocm',
  Vulkan: 'vulkan',
  SYCL: 'intel',
  MTL: 'metal',
  Metal: 'metal',
});

/**
 * Reads the output of llama-server (llama.cpp v0.5.0 and near it; buffers are printed at its default verbosity or with
 * `-lv 4`). A model that is loaded more than once, as by the fitting before a start, counts as loaded last; other
 * models after the first are a draft's.
 */
export function parseServerLog(output: string): ServerLog {
  const text = withoutLongLines(output);
  const loads = text.split(/^(?=.*loaded meta data with )/m);
  const first = loads.map((load) => LOADED.exec(load)?.[1]).find((path) => path !== undefined);
  const own = loads.filter((load) => first === undefined || LOADED.exec(load)?.[1] === first);
  const load = own.findLast((one) => buffersOf(one).length > 0) ?? text;
  const buffers = buffersOf(load);
  const devices = gpusOf(text);
  return {
    modelPath: first,
    accelerator: acceleratorOf(buffers, devices),
    cpuArch: /\bNEON = 1/.test(text) ? 'arm' : /\b(SSE3|AVX) = 1/.test(text) ? 'x86' : undefined,
    launch: { ...launchOf(load, buffers), ...gpuOptions(devices), ...defined('llamaCpp', buildOf(text)) },
    buffers,
  };
}

function withoutLongLines(output: string): string {
  const kept: string[] = [];
  let from = 0;
  for (let at = 0; at < output.length;) {
    const found = output.indexOf('\n', at);
    const end = found < 0 ? output.length : found;
    if (end - at > MAX_LINE_LENGTH) {
      kept.push(output.slice(from, at));
      from = end;
    }
    at = end + 1;
  }
  return kept.length === 0 ? output : [...kept, output.slice(from)].join('');
}

/** Up to where another context's buffers begin; those that a dry run leaves empty are not buffers. */
function buffersOf(load: string): LoggedBuffer[] {
  return [...load.matchAll(BUFFER_LINE)].flatMap(([line]): LoggedBuffer[] => {
    const [, printedBy = '', buffer = '', kind = '', mebibytes = ''] = BUFFER.exec(line) ?? [];
    if (kind === '' || PROJECTOR.test(printedBy) || Number(mebibytes) === 0) return [];
    return [{ kind: kind as LoggedKind, buffer, mebibytes: Number(mebibytes) }];
  });
}

interface LoggedGpu {
  readonly name: string;
  readonly index: number;
  readonly freeBytes: number;
}

/** Each device once. */
function gpusOf(text: string): readonly LoggedGpu[] {
  const found = new Map<string, LoggedGpu>();
  for (const [, name = '', index = '', free = ''] of text.matchAll(new RegExp(DEVICE, 'g'))) {
    found.set(name + index, { name, index: Number(index), freeBytes: Number(free) * MIB });
  }
  return [...found.values()].filter(({ name, index }) => name in ACCELERATORS && index < MAX_DEVICES);
}

function acceleratorOf(buffers: readonly LoggedBuffer[], devices: readonly LoggedGpu[]): Accelerator {
  const names = [
    ...devices.map(({ name }) => name),
    ...buffers.map(({ buffer }) => /^[A-Za-z]+/.exec(buffer)?.[0] ?? ''),
  ];
  return names.map((name) => ACCELERATORS[name]).find((accelerator) => accelerator !== undefined) ?? 'cpu';
}

/** Layers were split by what was free, which the log tells in whole mebibytes. */
function gpuOptions(devices: readonly LoggedGpu[]): LaunchPatch {
  if (devices.length < 2) return {};
  const gpuMemory: GpuMemory[] = [];
  for (const { index, freeBytes } of devices) gpuMemory[index] = { totalBytes: freeBytes, freeBytes };
  return { gpus: gpuMemory.length, gpuMemory: Array.from(gpuMemory, (one) => one ?? { totalBytes: 0, freeBytes: 0 }) };
}

/** A release's build number, where it has one: `build_info: b11549-…`, `build: 11549 (…)`. */
function buildOf(text: string): string | undefined {
  const build = /\bbuild(?:_info)?: b?(\d{4,7})\b/.exec(text)?.[1];
  return build === undefined ? undefined : `b${build}`;
}

/** The last value that a context was made with. */
function value(load: string, name: string): string | undefined {
  return [...load.matchAll(new RegExp(`llama_context: +${name} += (\\S+)`, 'g'))].at(-1)?.[1];
}

function launchOf(load: string, buffers: readonly LoggedBuffer[]): LaunchPatch {
  const number = (name: string, most = INT32_MAX): number | undefined => {
    const found = Number(value(load, name) ?? Number.NaN);
    return Number.isInteger(found) && found >= 0 && found <= most ? found : undefined;
  };
  const flash = { enabled: 'on', disabled: 'off', auto: 'auto' } as const;
  const flashAttn = flash[(value(load, 'flash_attn') ?? '') as keyof typeof flash];
  const offloaded = OFFLOADED.exec(load)?.[1];
  const mode = /\(load_mode = (\S+)\)/.exec(load)?.[1];
  const patch: LaunchPatch = {
    ...defined('ctxSize', number('n_ctx')),
    ...defined('parallel', number('n_seq_max', MAX_SLOTS)),
    ...defined('batchSize', number('n_batch')),
    ...defined('ubatchSize', number('n_ubatch')),
    ...defined('kvUnified', value(load, 'kv_unified') === undefined ? undefined : value(load, 'kv_unified') === 'true'),
    ...defined('flashAttn', flashAttn),
    ...defined('gpuLayers', offloaded === undefined ? undefined : Number(offloaded)),
    ...defined('mmap', mode === undefined ? undefined : mode.includes('mmap')),
    ...cacheTypes(load),
  };
  const cacheOnHost = buffers.some(({ kind, buffer }) => kind === 'KV' && buffer.startsWith('CPU'));
  const cacheOnGpu = buffers.some(({ kind, buffer }) => kind === 'KV' && !buffer.startsWith('CPU'));
  return patch.gpuLayers && cacheOnHost && !cacheOnGpu ? { ...patch, kvOffload: false } : patch;
}

function defined<K extends keyof LaunchPatch>(key: K, found: LaunchPatch[K] | undefined): LaunchPatch {
  return found === undefined ? {} : { [key]: found };
}

/** `…, K (q8_0):   95.62 MiB, V (q8_0):   95.62 MiB`. */
function cacheTypes(load: string): LaunchPatch {
  const [, typeK, typeV] = /\bK \((\w+)\): .* V \((\w+)\):/.exec(load) ?? [];
  const known = (name: string | undefined): CacheType | undefined => CACHE_TYPES.find((type) => type === name);
  return { ...defined('cacheTypeK', known(typeK)), ...defined('cacheTypeV', known(typeV)) };
}
