import { refuseTrainedContext } from '../refused-launches.js';
import type { ProjectorShape } from '../../model/model-shape.js';
import { llamaCpp } from '../../runtime/llama-cpp.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { trainedContext } from '../context/trained-context.js';
import { planGpus } from '../devices.js';
import { estimateLaunch, type LaunchFiles } from '../estimate-launch.js';
import { type DryRun, dryRun, type ModelAndDraft, withDraft } from './dry-run.js';
import { fitContext } from './fit-context.js';
import { fitLayers } from './fit-layers.js';
import type { FitProblem } from './layer-split.js';
import { overriddenLayers } from './overridden-layers.js';
import { SERVER_DEFAULTS } from '../../runtime/server-defaults.js';

/** What llama-server sees at its start, in bytes. */
export interface FitMachine {
  /** On a Mac the GPU's working set less what this process has allocated: other programs do not count there. */
  readonly gpus: readonly { readonly totalBytes: number; readonly freeBytes: number }[];
  readonly host: { readonly totalBytes: number };
}

/** What llama-server chooses by itself. */
export interface FitResult {
  /** The launch as it will be made, context, layers and overrides named. */
  readonly launch: LaunchOptions;
  /** Context, all slots together. */
  readonly nCtx: number;
  /** Layers on GPUs, the output head counted as one. */
  readonly gpuLayers: number;
  /** Weights that go to the CPU, or another GPU, although their layer does not: name within the block, and layers. */
  readonly overridden: Readonly<Record<string, readonly number[]>>;
  /** Nothing needed changing. */
  readonly unchanged: boolean;
  /** Why llama-server would start with what it has, whether it fits or not; undefined when it found a way. */
  readonly gaveUp: string | undefined;
}

const MIB = 2 ** 20;

/**
 * What llama-server makes of a launch whose context or layers are left open (`--fit on`): `common_params_fit_impl`
 * (`common/fit.cpp`, llama.cpp v0.5.0), the same steps on estimates instead of dry runs.
 * @param launch only what the user set
 * @throws what `estimateMemory` throws
 */
export function resolveFit(
  { model: shape, projector, draft }: Pick<LaunchFiles, 'projector'> & ModelAndDraft,
  launch: LaunchOptions,
  machine: FitMachine,
): FitResult {
  const seen = { ...launch, gpuMemory: machine.gpus };
  const { used } = planGpus(seen);
  const margins = marginsOf(launch, Math.max(1, used.length));
  margins[0] = (margins[0] ?? 0) + besideTheModel(projector, launch, used.length > 0 ? 'gpu' : 'host');
  const free = used.length > 0 ? used.map((gpu) => machine.gpus[gpu]?.freeBytes ?? 0) : [machine.host.totalBytes];
  refuseTrainedContext(shape.hparams, launch);
  const { nLayer, nLayerNextn, nExpert } = shape.hparams;
  // Blocks that predict ahead are loaded, and counted, only where they draft.
  const nLayers = nLayer + (launch.specTypes?.includes('draft-mtp') === true ? nLayerNextn : 0);
  const slots = launch.parallel !== undefined && launch.parallel > 0 ? launch.parallel : SERVER_DEFAULTS.slots;
  const streams = launch.parallel === undefined || launch.parallel < 0 || launch.kvUnified === true ? 1 : slots;
  const isContextOpen = launch.ctxSize === undefined || launch.ctxSize === 0;
  const trained = trainedContext(shape.hparams, launch);
  const aimed = trained * (llamaCpp(launch.llamaCpp).fitsTrainedContextOfEachSlot ? slots : streams);

  // What drafts is measured beside it, and follows its context but nothing else that is tried.
  const measure = (each: LaunchOptions): DryRun =>
    withDraft(dryRun(shape, each, used), { model: shape, draft }, { ...seen, ctxSize: each.ctxSize ?? aimed }, used);
  const wanted = isContextOpen ? { ...seen, ctxSize: aimed } : seen;
  const full = measure(wanted);
  const problem: FitProblem = {
    shape,
    launch: wanted,
    nLayers,
    hasExperts: nExpert > 0,
    targets: free.map((bytes, i) => bytes - (full.gpus[i]?.takenBytes ?? 0) - (margins[i] ?? 0)),
    measure,
  };
  // A context that was named as 0 is the whole one, which is not made smaller.
  const least = launch.fitCtx ?? (launch.ctxSize === 0 ? Infinity : SERVER_DEFAULTS.fitCtx);
  const context = fitContext(problem, full, {
    isOpen: isContextOpen,
    max: aimed,
    min: least * streams,
    step: streams,
  });
  const chosen = context.done
    ? { launch: context.launch }
    : fitLayers({ ...problem, launch: context.launch }, context.full);
  return {
    launch: chosen.launch,
    nCtx: chosen.launch.ctxSize ?? aimed,
    gpuLayers: layersOnGpus(chosen.launch, used.length, nLayers),
    overridden: overriddenLayers(shape, chosen.launch, launch),
    unchanged: context.unchanged,
    gaveUp: 'gaveUp' in chosen ? chosen.gaveUp : undefined,
  };
}

/** What a projector takes of the first device, measured before anything else: `mtmd_get_memory_usage` (`tools/mtmd/mtmd.cpp`). */
function besideTheModel(projector: ProjectorShape | undefined, launch: LaunchOptions, device: 'gpu' | 'host'): number {
  if (projector === undefined) return 0;
  const { parts } = estimateLaunch({ projector }, launch);
  return parts.filter((part) => part.device === device).reduce((bytes, part) => bytes + part.bytes, 0);
}

/** `--fit-target`: one value for all, or one each. */
function marginsOf({ fitTargetMiB = SERVER_DEFAULTS.fitTargetMiB }: LaunchOptions, devices: number): number[] {
  const given = typeof fitTargetMiB === 'number' ? [fitTargetMiB] : fitTargetMiB;
  const last = given.at(-1) ?? SERVER_DEFAULTS.fitTargetMiB;
  return Array.from(
    { length: devices },
    (_, i) => (given.length === 1 ? last : (given[i] ?? SERVER_DEFAULTS.fitTargetMiB)) * MIB,
  );
}

function layersOnGpus({ gpuLayers }: LaunchOptions, gpus: number, nLayers: number): number {
  if (gpus === 0) return 0;
  return gpuLayers === undefined || gpuLayers < 0 ? nLayers + 1 : Math.min(gpuLayers, nLayers + 1);
}
