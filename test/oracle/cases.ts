import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MemoryEstimate, PartName } from '../../src/lib/estimate/memory-estimate.js';
import type { LaunchOptions } from '../../src/lib/runtime/launch-options.js';

const here = dirname(fileURLToPath(import.meta.url));
export const PROFILES = join(here, 'profiles');

/** llama-server's options in the words of the instrument that measured; those left out have their defaults. */
export interface CaseLaunch {
  readonly backend: 'metal' | 'cpu' | 'cuda' | 'vulkan';
  readonly cpu_arch?: 'arm' | 'x86';
  readonly ctx: number;
  readonly parallel?: number;
  readonly kv_unified?: number;
  readonly batch?: number;
  readonly ubatch?: number;
  readonly fa?: 'on' | 'off';
  readonly ctk?: string;
  readonly ctv?: string;
  readonly ngl?: number;
  readonly no_kv_offload?: number;
  readonly mmap?: number;
  readonly repack?: number;
  readonly swa_full?: number;
  readonly embedding?: number;
  readonly cpu_moe?: number;
  readonly n_cpu_moe?: number;
  readonly moe_cache_mib?: number;
  readonly op_offload?: number;
  readonly gpus?: number;
  readonly split_mode?: string;
  readonly tensor_split?: string;
}

/** Bytes that llama.cpp allocated, by kind and device. */
export interface Measured {
  readonly mapped: number;
  readonly copied: number;
  readonly contextGpu: number;
  readonly contextHost: number;
  readonly computeGpu: number;
  readonly computeHost: number;
  readonly output: number;
  /** Everything on each GPU, where there are several. */
  readonly gpus?: readonly number[];
}

/** What llama.cpp made of the options. */
export interface Resolved {
  readonly nCtx: number;
  readonly nCtxSeq: number;
  readonly slots: number;
  readonly kvUnified: boolean;
  readonly flashAttn: boolean;
  readonly outputsMax: number;
}

export interface Case {
  /** The llama.cpp that was measured; unset = v0.5.0. */
  readonly llamaCpp?: string;
  readonly profile: string;
  readonly launch: CaseLaunch;
  readonly truth: (Measured & Resolved) | { readonly error: string };
}

/** Launches that llama.cpp fitted to a machine: see fit.test.ts. */
const FITTED = 'cases-fit.jsonl';

/** Every measured launch: `cases*.jsonl` in the oracle's folder. */
export function readCases(folder = here): Case[] {
  return readdirSync(folder)
    .filter((name) => /^cases.*\.jsonl$/.test(name) && name !== FITTED)
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'))
    .map((line) => JSON.parse(line) as Case);
}

/** Set by `npm run test:oracle`: every launch is held, not only a sample. */
export const EVERY_LAUNCH = process.env.LLMKUBE_TEST_EVERY_LAUNCH !== undefined;

/**
 * The launches that show something first: a profile, an option's value or a refusal, each for the backend and the version
 * that were measured.
 */
export function sampleOf(cases: readonly Case[]): Case[] {
  const seen = new Set<string>();
  return cases.filter(({ llamaCpp, profile, launch, truth }) => {
    const options = Object.entries(launch).filter(([name]) => name !== 'ctx' && name !== 'tensor_split');
    const shown = [profile, ...options.map((option) => option.join('=')), ...('error' in truth ? ['refused'] : [])].map(
      (word) => `${llamaCpp} ${launch.backend} ${word}`,
    );
    const isNew = shown.some((word) => !seen.has(word));
    for (const word of shown) seen.add(word);
    return isNew;
  });
}

export function launchOf(given: CaseLaunch, llamaCpp = 'v0.5.0'): LaunchOptions {
  const flag = (value: number | undefined): boolean | undefined => (value === undefined ? undefined : Boolean(value));
  const launch = {
    llamaCpp,
    accelerator: given.backend,
    cpuArch: given.cpu_arch ?? (given.backend === 'metal' ? 'arm' : 'x86'),
    ctxSize: given.ctx,
    parallel: given.parallel,
    kvUnified: flag(given.kv_unified),
    batchSize: given.batch,
    ubatchSize: given.ubatch,
    flashAttn: given.fa,
    cacheTypeK: given.ctk,
    cacheTypeV: given.ctv,
    gpuLayers: given.ngl,
    kvOffload: given.no_kv_offload ? false : undefined,
    mmap: flag(given.mmap),
    repack: flag(given.repack),
    swaFull: flag(given.swa_full),
    mode: given.embedding ? 'embedding' : undefined,
    opOffload: flag(given.op_offload),
    expertCacheMiB: given.moe_cache_mib,
    cpuMoeLayers: given.cpu_moe ? Infinity : given.n_cpu_moe,
    gpus: given.gpus,
    splitMode: given.split_mode,
    tensorSplit: given.tensor_split?.split(',').map(Number),
  };
  return Object.fromEntries(
    Object.entries(launch).filter(([, value]) => value !== undefined),
  ) as unknown as LaunchOptions;
}

const CONTEXT: readonly PartName[] = ['kv-cache', 'recurrent-state', 'expert-cache'];

/** An estimate in the words of a measurement. */
export function measured({ parts }: MemoryEstimate): Measured {
  const sum = (names: readonly PartName[], device?: 'gpu' | 'host'): number =>
    parts
      .filter((part) => names.includes(part.name) && (device === undefined || part.device === device))
      .reduce((total, part) => total + part.bytes, 0);
  return {
    mapped: sum(['weights', 'weights-unread']),
    copied: sum(['weights-copy']),
    contextGpu: sum(CONTEXT, 'gpu'),
    contextHost: sum(CONTEXT, 'host'),
    computeGpu: sum(['compute'], 'gpu'),
    computeHost: sum(['compute'], 'host'),
    output: sum(['output']),
    ...(parts.some(({ gpu }) => gpu !== undefined) && { gpus: perGpu(parts) }),
  };
}

function perGpu(parts: MemoryEstimate['parts']): number[] {
  const sums: number[] = [];
  for (const { name, gpu, bytes } of parts) {
    if (gpu !== undefined && name !== 'runtime-overhead') sums[gpu] = (sums[gpu] ?? 0) + bytes;
  }
  return Array.from(sums, (bytes = 0) => bytes);
}
