import type { BudgetPolicy } from '../budget/budget-policy.js';
import type { Catalog, CatalogEntry } from '../catalog/catalog.js';
import type { MachineRequest } from '../host/measure-host.js';
import { combineLaunch } from '../runtime/combine-launch.js';
import type { KvOverride } from '../runtime/options/kv-overrides.js';
import { ALL_GPU_LAYERS, type Accelerator } from '../runtime/launch-options.js';
import { specTypes } from '../runtime/options/draft-options.js';
import type { LaunchPatch } from '../runtime/options/server-options.js';
import type { IncompleteCheck, PlannedCheck } from './memory-check.js';
import { resolveEntry, resolveModel } from './resolve-model.js';

/** What is to be checked. Whatever is left out is the catalogue's, llama-server's or this machine's. */
export interface CheckRequest {
  /** As the user typed it. */
  readonly model: string;
  /** Where it was looked up already. */
  readonly entry?: CatalogEntry | undefined;
  readonly quantization?: string | undefined;
  /** Another file at the model's place. */
  readonly file?: string | undefined;
  readonly accelerator: Accelerator;
  /** Set where the CPU is known, such as this machine's. */
  readonly cpuArch?: 'arm' | 'x86' | undefined;
  readonly launch: LaunchPatch;
  readonly extraArgs: readonly string[];
  /** What llama-server reads in place of the header's values, where that is known from elsewhere. */
  readonly overrides?: readonly KvOverride[];
  readonly machine: Omit<MachineRequest, 'accelerator' | 'gpus' | 'budgetBytes'>;
  readonly policy: BudgetPolicy;
  /** Context and layers will be named to llama-server, so that it has nothing to choose. */
  readonly namesLaunch?: boolean;
  /** What is checked will be started: a file that llama-server does not load is refused, whatever it would take. */
  readonly isStarted?: boolean;
  /** One of several with the same options: what llama.cpp refuses of this model is its verdict and no error. */
  readonly amongOthers?: boolean;
  /** What is to be said of how the request came about. */
  readonly notes?: readonly string[];
}

export interface PlanDependencies {
  readonly loadCatalog: () => Promise<Catalog>;
  /** `planLaunch`, or what remembers what it said. */
  readonly planLaunch?: typeof planLaunch;
}

/** Nobody knows what will be sent: the worst counts. */
const ANY_MEDIA = { images: 'any', audioSeconds: 'any' } as const;

/** @throws UsageError for a model, a catalogue or an option that is not understood */
export async function planCheck(
  request: CheckRequest,
  { loadCatalog, planLaunch: plan = planLaunch }: PlanDependencies,
): Promise<PlannedCheck> {
  const { model } = request;
  const resolved = request.entry
    ? resolveEntry(request.entry, request)
    : resolveModel(model, await loadCatalog(), request);
  const { entry, source } = resolved;
  const planned = plan(request, entry === undefined ? {} : catalogDefaults(entry));
  return { model, resolved, entry, source, ...planned };
}

/** What of a check is known without its model, but for what the catalogue says of the model's launch. */
export type PlannedLaunch = Omit<PlannedCheck, 'model' | 'resolved' | 'entry' | 'source'>;

/** @throws UsageError for an option that is not understood */
export function planLaunch(request: CheckRequest, defaults: LaunchPatch): PlannedLaunch {
  const { accelerator, cpuArch, launch: flags, extraArgs } = request;
  const combined = combineLaunch({ accelerator, cpuArch, defaults, flags, extraArgs });
  const launch = { ...ANY_MEDIA, ...combined.launch };
  const overrides = [...combined.overrides, ...(request.overrides ?? [])];
  const amongOthers = request.amongOthers === true && { amongOthers: true };
  return { ...combined, launch, asked: launch, ...amongOthers, overrides };
}

/**
 * A check that is left out: what it would have been about, as `unknown`. Nothing is read or measured.
 * @throws UsageError for a model, a catalogue or an option that is not understood
 */
export async function skippedCheck(request: CheckRequest, dependencies: PlanDependencies): Promise<IncompleteCheck> {
  const skipped = {
    kind: 'unknown',
    code: 'CHECK_SKIPPED',
    reason: 'the memory was not checked',
    warnings: [],
  } as const;
  return { ...(await planCheck(request, dependencies)), verdict: skipped, suggestions: [] };
}

/** What an entry says about its launch. */
export function catalogDefaults({ contextSize, gpuLayers, mode, draft, specType }: CatalogEntry): LaunchPatch {
  return {
    ...(draft !== undefined && { draft }),
    ...(specType !== undefined && specTypes(specType)),
    ...(contextSize !== undefined && { ctxSize: contextSize }),
    gpuLayers: gpuLayers === undefined || gpuLayers < 0 ? ALL_GPU_LAYERS : gpuLayers,
    ...(mode !== undefined && mode !== 'chat' && { mode }),
  };
}
