import { type FitMachine, type FitResult, resolveFit } from '../estimate/fit/resolve-fit.js';
import type { Change } from './advice/advice.js';
import type { HostMemory } from '../host/host-memory.js';
import type { LaunchFiles } from '../estimate/estimate-launch.js';
import type { MemoryEstimate } from '../estimate/memory-estimate.js';
import { isDiscrete } from './judge/judge.js';
import { seenMemory } from './judge/on-machine.js';
import type { ModelShape } from '../model/model-shape.js';
import { headroomBytes, type CompletedVerdict } from './judge/verdict.js';
import { deviceWords } from '../runtime/options/device-options.js';
import { ALL_GPU_LAYERS, AUTO_GPU_LAYERS, type LaunchOptions } from '../runtime/launch-options.js';
import { SERVER_DEFAULTS } from '../runtime/server-defaults.js';

/** What llama-server decides by itself where context or layers are left open (`--fit`). */
export type ServerChoice = Pick<FitResult, 'launch' | 'nCtx' | 'gpuLayers' | 'overridden' | 'gaveUp'> & {
  readonly contextWasOpen: boolean;
  readonly layersWereOpen: boolean;
};

/**
 * What llama-server would choose on a machine, which it sees without what other programs and this one's budget leave; undefined
 * where nothing is open, or nothing needs choosing.
 * @throws what `estimateMemory` throws
 */
export function serverChoice(
  files: LaunchFiles & { readonly model: ModelShape },
  launch: LaunchOptions,
  host: HostMemory,
): ServerChoice | undefined {
  const contextWasOpen = launch.ctxSize === undefined || launch.ctxSize === 0;
  const layersWereOpen = leavesLayers(launch);
  if (!canChoose(launch, host) || !(contextWasOpen || choosesLayers(launch, host))) return undefined;
  const {
    launch: chosen,
    nCtx,
    gpuLayers,
    overridden,
    unchanged,
    gaveUp,
  } = resolveFit(files, launch, seen(launch, host));
  if (unchanged) return undefined;
  return { launch: chosen, nCtx, gpuLayers, overridden, gaveUp, contextWasOpen, layersWereOpen };
}

/** A launch that was judged on a machine, and how it was asked for. */
interface LayersJudged {
  readonly asked: LaunchOptions;
  readonly room?: { readonly host: HostMemory };
  readonly estimate?: Pick<MemoryEstimate, 'resolved'>;
}

/** Whether llama-server chooses the layers on the GPU of a launch. */
export function choosesLayers(launch: LaunchOptions, host: HostMemory): boolean {
  return canChoose(launch, host) && leavesLayers(launch) && launch.accelerator !== 'cpu';
}

function leavesLayers({ gpuLayers = AUTO_GPU_LAYERS }: LaunchOptions): boolean {
  return gpuLayers === AUTO_GPU_LAYERS;
}

/** What is not known of the machine cannot be chosen by. */
function canChoose({ accelerator, fit }: LaunchOptions, { gpus }: HostMemory): boolean {
  return fit !== false && !(isDiscrete(accelerator) && gpus === undefined);
}

/** Free memory as the devices tell it: on a Mac the GPU's working set, whatever else runs; without a GPU all that there is. */
function seen({ accelerator }: LaunchOptions, host: HostMemory): FitMachine {
  const { totalBytes } = host;
  if (accelerator === 'metal') {
    const workingSet = host.gpuWiredLimitBytes ?? totalBytes;
    return { gpus: [{ totalBytes: workingSet, freeBytes: workingSet }], host: { totalBytes } };
  }
  const gpus = host.gpus?.map((gpu) => seenMemory(accelerator, gpu)) ?? [];
  return { gpus, host: { totalBytes } };
}

/** What the choice puts into the launch. */
export function chosenOptions({ launch, nCtx, contextWasOpen, layersWereOpen }: ServerChoice): Partial<LaunchOptions> {
  const { gpuLayers, tensorSplit, tensorOverrides } = launch;
  return {
    ...(contextWasOpen && { ctxSize: nCtx }),
    ...(layersWereOpen && gpuLayers !== undefined && { gpuLayers }),
    ...(tensorSplit && { tensorSplit }),
    ...(tensorOverrides && { tensorOverrides }),
  };
}

/**
 * What is to be known of a choice, a sentence each: what it is, and where it goes beyond the budget, which margin keeps it
 * within, if one does.
 */
export function choiceNotes(
  choice: ServerChoice,
  { limits }: CompletedVerdict,
  judgeWith: (options: Partial<LaunchOptions>) => CompletedVerdict,
): string[] {
  const { gaveUp, launch } = choice;
  const chosen = `llama-server will choose ${choiceWords(choice)} (--fit)`;
  const note =
    gaveUp === undefined
      ? chosen
      : `llama-server finds nothing that fits and starts all the same${withContext(choice)}: ${gaveUp}`;
  const overBytes = Math.max(0, ...limits.map((limit) => -headroomBytes(limit)));
  if (overBytes === 0 || gaveUp !== undefined) return [note];
  const present = typeof launch.fitTargetMiB === 'object' ? Math.max(...launch.fitTargetMiB) : launch.fitTargetMiB;
  const fitTargetMiB =
    Math.ceil(((present ?? SERVER_DEFAULTS.fitTargetMiB) * MIB + overBytes) / MIB / TARGET_STEP_MIB) * TARGET_STEP_MIB;
  const isWithin = judgeWith({ fitTargetMiB }).kind !== 'does-not-fit';
  return isWithin ? [`${note}, which is more than the budget; --fit-target ${fitTargetMiB} keeps it within`] : [note];
}

/**
 * The launch that advice starts from: with the context that was chosen, and its layers where whole ones were, so that what is
 * proposed says all that llama-server would choose again.
 */
export function namedLaunch(asked: LaunchOptions, choice: ServerChoice): LaunchOptions {
  const { ctxSize, gpuLayers } = chosenOptions(choice);
  return {
    ...asked,
    ...(ctxSize !== undefined && { ctxSize }),
    ...(gpuLayers !== undefined && { gpuLayers: isOfWholeLayers(choice) ? gpuLayers : ALL_GPU_LAYERS }),
  };
}

/**
 * What is to be named beside changes, so that the command with them is that launch: llama-server would choose anew by other
 * steps where the context is named, or by what else is changed, and not come to the same layers.
 */
export function namedBeside(
  choice: ServerChoice,
  changes: readonly Change[],
): Pick<LaunchOptions, 'ctxSize' | 'gpuLayers'> {
  const { ctxSize, gpuLayers } = chosenOptions(choice);
  const layers = gpuLayers !== undefined && isOfWholeLayers(choice) ? gpuLayers : ALL_GPU_LAYERS;
  const isNamed = (kind: Change['kind']): boolean => changes.some((change) => change.kind === kind);
  const namesLayers = choice.layersWereOpen && choice.launch.accelerator !== 'cpu' && !isNamed('gpu-layers');
  return {
    ...(ctxSize !== undefined && !isNamed('context') && { ctxSize }),
    ...(namesLayers && { gpuLayers: layers }),
  };
}

/**
 * Layers on the GPU that a launch was judged with, the output head counted as one, where llama-server would choose others for another context;
 * undefined where they were asked for.
 */
export function layersAsChosen({ asked, room, estimate }: LayersJudged): number | undefined {
  const isOpen = room !== undefined && choosesLayers(asked, room.host);
  return isOpen ? estimate?.resolved.gpuLayers : undefined;
}

/** Layers on the GPU that were chosen, the output head counted as one; undefined where all of them stay there, or were asked for. */
function chosenLayers({ layersWereOpen, launch, gpuLayers }: ServerChoice): number | undefined {
  return layersWereOpen && (launch.gpuLayers ?? AUTO_GPU_LAYERS) >= 0 ? gpuLayers : undefined;
}

/**
 * What changes a launch into the one that was chosen, beside other changes: advice starts from `namedLaunch`, a launch without any is
 * the chosen one.
 */
export function namingChanges(choice: ServerChoice, changes: readonly Change[]): readonly Change[] {
  const { ctxSize, gpuLayers } = chosenOptions(choice);
  const isSaid = (kind: Change['kind']): boolean => changes.some((change) => change.kind === kind);
  const layers = changes.length === 0 || isOfWholeLayers(choice) ? gpuLayers : ALL_GPU_LAYERS;
  return [
    ...(ctxSize === undefined || isSaid('context') ? [] : [{ kind: 'context' as const, tokens: ctxSize }]),
    ...(gpuLayers === undefined || layers === undefined || isSaid('gpu-layers')
      ? []
      : [{ kind: 'gpu-layers' as const, layers, of: choice.gpuLayers }]),
  ];
}

/** Where the choice puts what is not of whole layers, in words that llama-server and this program share. */
export function placingWords(choice: ServerChoice, asked: LaunchOptions): string[] {
  const { tensorSplit, tensorOverrides } = chosenOptions(choice);
  return deviceWords(
    {
      ...(tensorSplit && tensorSplit !== asked.tensorSplit && { tensorSplit }),
      ...(tensorOverrides && tensorOverrides !== asked.tensorOverrides && { tensorOverrides }),
    },
    choice.launch.accelerator,
  );
}

function isOfWholeLayers({ overridden }: ServerChoice): boolean {
  return Object.keys(overridden).length === 0;
}

/** The choice as words of llama-server's command line, so that it is made whatever the machine looks like by then. */
export function pinnedWords(choice: ServerChoice): string[] {
  const { ctxSize, gpuLayers, ...placement } = chosenOptions(choice);
  return [
    ...(ctxSize === undefined ? [] : ['--ctx-size', String(ctxSize)]),
    ...(gpuLayers === undefined ? [] : ['--n-gpu-layers', String(gpuLayers)]),
    ...deviceWords(placement, choice.launch.accelerator),
  ];
}

const MIB = 2 ** 20;
const TARGET_STEP_MIB = 256;

function withContext({ nCtx, contextWasOpen }: ServerChoice): string {
  return contextWasOpen ? `, with --ctx-size ${nCtx}` : '';
}

function choiceWords(choice: ServerChoice): string {
  const { nCtx, overridden, contextWasOpen } = choice;
  const onGpu = chosenLayers(choice);
  const layers = new Set(Object.values(overridden).flat()).size;
  const words = [
    ...(contextWasOpen ? [`--ctx-size ${nCtx}`] : []),
    ...(onGpu === undefined ? [] : [`--n-gpu-layers ${onGpu}`]),
    ...(layers > 0 ? [`parts of ${layers} layers on the CPU`] : []),
  ];
  return words.join(' and ');
}
