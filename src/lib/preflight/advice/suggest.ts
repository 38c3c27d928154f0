import { gpuOf, type MemoryEstimate, type PartName } from '../../estimate/memory-estimate.js';
import type { ModelShape } from '../../model/model-shape.js';
import { isDiscrete } from '../judge.js';
import { headroomBytes, type CompletedVerdict, type LimitCheck } from '../verdict.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';

/** Bits per weight of the smallest quantization that people still use (Q2_K as published). */
const SMALLEST_BITS = 2.7;
/** A context below this is of little use. */
const SMALLEST_CONTEXT = 2048;
/** The KV cache is worth shrinking from this share of the requirement on, and worth quantizing from that. */
const WORTH_SHRINKING = 0.02;
const WORTH_QUANTIZING = 0.25;
const UNQUANTIZED: readonly string[] = ['f32', 'f16', 'bf16'];
/** Formats that a model is published in only as it was trained. */
const NATIVE_QUANTIZATIONS = /^MXFP4/;

interface Refusal {
  readonly limit: LimitCheck;
  readonly estimate: MemoryEstimate;
  readonly shape: ModelShape;
  readonly launch: LaunchOptions;
}

/** What a person can do about a refusal, most helpful first, each to complete "try to …"; only what helps in this case. */
export function suggestions(verdict: CompletedVerdict, shape: ModelShape, launch: LaunchOptions): readonly string[] {
  const [limit] = verdict.limits;
  if (verdict.kind !== 'does-not-fit' || limit === undefined) return [];
  const refusal = { limit, estimate: verdict.estimate, shape, launch };
  const savings = quantizationSavings(refusal) + contextSavings(refusal);
  const possible = headroomBytes(limit) + savings + inUseBytes(limit) >= 0;
  const found = possible
    ? [...smallerModel(refusal), ...smallerContext(refusal), ...moreRoom(refusal)]
    : [...moreRoom(refusal).filter((text) => !text.startsWith('free')), 'use a smaller model or a larger machine'];
  return found.length > 0 ? found : ['use a smaller model or a larger machine'];
}

function smallerModel(refusal: Refusal): string[] {
  return quantizationSavings(refusal) > 0 ? ['try a smaller quantization'] : [];
}

function smallerContext(refusal: Refusal): string[] {
  const { limit, estimate } = refusal;
  const { cacheTypeK, cacheTypeV, flashAttn, kvUnified, slots } = estimate.resolved;
  const share = cacheBytes(refusal) / limit.requiredBytes;
  const found: string[] = [];
  if (contextSavings(refusal) > limit.requiredBytes * WORTH_SHRINKING) found.push('reduce --ctx-size');
  if (share > WORTH_QUANTIZING && flashAttn && [cacheTypeK, cacheTypeV].every((type) => UNQUANTIZED.includes(type))) {
    found.push('use --cache-type-k q8_0 --cache-type-v q8_0');
  }
  if (share > WORTH_SHRINKING && !kvUnified && slots > 1) found.push('reduce --parallel');
  return found;
}

function moreRoom({ limit, launch, shape }: Refusal): string[] {
  const { budget } = limit;
  if (budget.kind === 'absolute') return ['raise --memory-budget'];
  if (budget.kind === 'gpu-wired') {
    const mebibytes = Math.ceil(limit.requiredBytes / 2 ** 20);
    return [`raise the limit with "sudo sysctl iogpu.wired_limit_mb=${mebibytes}"`];
  }
  if (budget.kind === 'gpu-memory') {
    const experts = shape.hparams.nExpert > 0 && launch.cpuMoeLayers === undefined;
    return [
      ...(budget.inUseBytes > 0 ? ['free GPU memory'] : []),
      experts ? 'keep experts on the CPU with --extra-args "--cpu-moe"' : 'lower --gpu-layers',
    ];
  }
  const worthFreeing = budget.inUseBytes * 4 >= -headroomBytes(limit);
  return [
    ...(worthFreeing ? ['free system memory'] : []),
    ...(isDiscrete(launch.accelerator) && launch.gpuLayers !== undefined ? ['raise --gpu-layers'] : []),
  ];
}

function quantizationSavings({ limit, estimate, shape }: Refusal): number {
  const bits = (shape.fileBytes * 8) / shape.parameterCount;
  if (bits <= SMALLEST_BITS * 1.2 || NATIVE_QUANTIZATIONS.test(shape.quantization)) return 0;
  const weights = partBytes(estimate, limit, ['weights', 'weights-copy']);
  return weights * (1 - SMALLEST_BITS / bits);
}

function contextSavings(refusal: Refusal): number {
  const { nCtx } = refusal.estimate.resolved;
  return nCtx > SMALLEST_CONTEXT ? cacheBytes(refusal) * (1 - SMALLEST_CONTEXT / nCtx) : 0;
}

function cacheBytes({ estimate, limit }: Refusal): number {
  return partBytes(estimate, limit, ['kv-cache']);
}

/** Bytes of these parts that count under the limit. */
function partBytes(estimate: MemoryEstimate, limit: LimitCheck, names: readonly PartName[]): number {
  return estimate.parts
    .filter(({ name, device }) => names.includes(name) && (limit.name === 'memory' || device === 'gpu'))
    .filter((part) => limit.gpu === undefined || gpuOf(part) === limit.gpu)
    .reduce((sum, { bytes }) => sum + bytes, 0);
}

function inUseBytes({ budget }: LimitCheck): number {
  return 'inUseBytes' in budget ? budget.inUseBytes : 0;
}
