import { AUTO_GPU_LAYERS, type LaunchOptions } from '../../runtime/launch-options.js';
import { expertsOnHost } from '../../runtime/options/device-options.js';
import type { DryRun } from './dry-run.js';
import { convertToWholeLayers } from './convert-layers.js';
import {
  falsePosition,
  type FitProblem,
  launchFor,
  type LayerSplit,
  type MeasuredSplit,
  type MeasureSplit,
  noLayers,
} from './layer-split.js';

type LayerChoice = { readonly launch: LaunchOptions } | { readonly launch: LaunchOptions; readonly gaveUp: string };

/**
 * Steps 3 and 4 of `common_params_fit_impl` (`common/fit.cpp`, llama.cpp v0.5.0): layers from the last device to the first,
 * of a mixture of experts without the experts at first; these are then brought back from the front.
 */
export function fitLayers(problem: FitProblem, full: DryRun): LayerChoice {
  const { launch, hasExperts, targets } = problem;
  const refusal = refusalOf(launch, full.gpus.length);
  if (refusal !== undefined) return { launch, gaveUp: refusal };
  const measure: MeasureSplit = (split) => ({
    split,
    bytes: problem.measure(launchFor(problem, split)).gpus.map(({ totalBytes }) => totalBytes),
  });
  let filled = measure(noLayers(full.gpus.length));
  for (let device = full.gpus.length - 1; device >= 0; device--) filled = fillDevice(problem, measure, filled, device);
  const denseFits = hasExperts && surplusWithoutExperts(problem) > 0;
  const { split } = denseFits ? convertToWholeLayers(targets, measure, filled) : filled;
  return { launch: launchFor(problem, split) };
}

function refusalOf(launch: LaunchOptions, gpus: number): string | undefined {
  const { gpuLayers, tensorSplit, tensorOverrides = [], cpuMoeLayers = 0 } = launch;
  if (gpus === 0) return 'the system memory is too small even for the least context';
  if (gpuLayers !== undefined && gpuLayers !== AUTO_GPU_LAYERS)
    return 'the layers on the GPU were set (--n-gpu-layers)';
  if (gpus > 1 && tensorSplit?.some((share) => share !== 0)) return 'the split between GPUs was set (--tensor-split)';
  if (tensorOverrides.length > 0 || cpuMoeLayers > 0)
    return 'weights were placed by hand (--override-tensor, --cpu-moe)';
  return undefined;
}

function surplusWithoutExperts({ launch, targets, measure }: FitProblem): number {
  const { gpus } = measure({ ...launch, tensorOverrides: expertsOnHost(Infinity) });
  return gpus.reduce((surplus, { totalBytes }, i) => surplus + (targets[i] ?? 0) - totalBytes, 0);
}

/** As many layers as a device takes, by the method of false position; the last device has the output head, always whole. */
function fillDevice(problem: FitProblem, measure: MeasureSplit, start: MeasuredSplit, device: number): MeasuredSplit {
  const { nLayers, hasExperts, targets } = problem;
  const isLast = device === start.split.length - 1;
  const elsewhere = start.split.reduce((layers, each, i) => layers + (i > device ? each.layers : 0), 0);
  const unassigned = nLayers + 1 - elsewhere;
  if (unassigned <= 0) return start;
  const withLayers = (split: LayerSplit, layers: number): LayerSplit =>
    split.map((each, i) => {
      if (i !== device) return each;
      return { ...each, layers, partial: hasExperts ? layers - (isLast && layers > 0 ? 1 : 0) : 0 };
    });
  const target = targets[device] ?? 0;
  let high = measure(withLayers(start.split, unassigned));
  if ((high.bytes[device] ?? 0) <= target) return high;
  let low = start;
  for (let delta = layersOf(high, device) - layersOf(low, device); delta > 1;) {
    const step = falsePosition(delta, target, low.bytes[device] ?? 0, high.bytes[device] ?? 0);
    const tried = measure(withLayers(low.split, layersOf(low, device) + step));
    if ((tried.bytes[device] ?? 0) <= target) low = tried;
    else high = tried;
    delta = layersOf(high, device) - layersOf(low, device);
  }
  return low;
}

function layersOf({ split }: MeasuredSplit, device: number): number {
  return split[device]?.layers ?? 0;
}
