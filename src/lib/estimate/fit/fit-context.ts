import type { LaunchOptions } from '../../runtime/launch-options.js';
import type { DeviceUse, DryRun } from './dry-run.js';
import type { FitProblem } from './layer-split.js';

interface ContextRange {
  /** Not set by the user. */
  readonly isOpen: boolean;
  /** All slots together, in tokens. */
  readonly max: number;
  readonly min: number;
  /** KV streams: what a context is divided by. */
  readonly step: number;
}

export interface ContextChoice {
  readonly launch: LaunchOptions;
  readonly full: DryRun;
  readonly unchanged: boolean;
  /** Nothing is left to be done. */
  readonly done: boolean;
}

const CONTEXT_STEP = 256;

/**
 * Steps 1 and 2 of `common_params_fit_impl` (`common/fit.cpp`, llama.cpp v0.5.0): nothing is changed when every device keeps
 * its margin; else an open context is interpolated between the most and the least.
 */
export function fitContext(problem: FitProblem, full: DryRun, { isOpen, max, min, step }: ContextRange): ContextChoice {
  const { launch, targets, measure } = problem;
  const used = usesOf(full);
  const unchanged = used.every(({ totalBytes }, i) => totalBytes <= (targets[i] ?? 0));
  if (unchanged) return { launch, full, unchanged, done: true };

  const total = sum(targets);
  const most = sum(used.map(({ totalBytes }) => totalBytes));
  if (most <= total || !isOpen || max <= min) return { launch, full, unchanged, done: false };
  const least = sum(usesOf(measure({ ...launch, ctxSize: min })).map(({ totalBytes }) => totalBytes));
  const target = total - wasteOf(problem, used);
  if (target <= least) return { launch: { ...launch, ctxSize: min }, full, unchanged, done: false };
  // 64-bit integers there: the product is beyond what a number holds exactly.
  const grown = min + Number((BigInt(max - min) * BigInt(target - least)) / BigInt(most - least));
  const ctxSize = Math.max(grown - (grown % (CONTEXT_STEP * step)), min);
  return { launch: { ...launch, ctxSize }, full, unchanged, done: used.length <= 1 };
}

/** Several devices waste half a layer each, or a sixth where single tensors may be moved. */
function wasteOf({ launch, nLayers, hasExperts }: FitProblem, used: readonly DeviceUse[]): number {
  if (used.length <= 1) return 0;
  const { gpuLayers } = launch;
  const layers = gpuLayers === undefined || gpuLayers < 0 ? nLayers : Math.min(gpuLayers, nLayers);
  const perLayer = Math.floor(sum(used.map(({ modelBytes }) => modelBytes)) / layers);
  return Math.floor(((used.length + 1) * perLayer) / (hasExperts ? 6 : 2));
}

function usesOf({ gpus, host }: DryRun): readonly DeviceUse[] {
  return gpus.length > 0 ? gpus : [host];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
