import type { BudgetPolicy } from '../../budget/budget-policy.js';
import type { HostMemory } from '../../host/host-memory.js';
import { defaultWiredLimitBytes } from '../../host/wired-limit.js';
import type { ModelShape } from '../../model/model-shape.js';
import { type CacheType, type LaunchOptions, withoutOptions } from '../../runtime/launch-options.js';
import { usesDraft } from '../../runtime/options/draft-options.js';
import type { PageInput } from '../page-input.js';
import { SERVER_DEFAULTS } from '../../runtime/server-defaults.js';

/** What a person can change in the page. */
export interface Controls {
  /** Tokens. */
  readonly ctxSize: number;
  /** Null = llama-server's own choice, 4 that share one cache. */
  readonly slots: number | null;
  readonly kvUnified: boolean;
  readonly cacheTypeK: CacheType;
  readonly cacheTypeV: CacheType;
  readonly ubatchSize: number;
  /** As `--quantization` names it; null = the file that the model's place has by itself. */
  readonly quantization: string | null;
  /** Layers on the GPU, the output head counted as one; null = llama-server's own choice, all. */
  readonly gpuLayers: number | null;
  /** Whether the projector beside the model is loaded. */
  readonly projector: boolean;
  /** Whether the launch drafts with a model, its own head included. */
  readonly draft: boolean;
  /** Tokens drafted at a time; null = llama-server's own choice, 3. */
  readonly draftMax: number | null;
  /** The machine's memory. */
  readonly totalBytes: number;
  readonly inUseBytes: number;
  /** Null = by the machine's size. */
  readonly fraction: number | null;
  /** Null = by fraction. */
  readonly budgetBytes: number | null;
  /** Of each discrete GPU, once it is changed here; null = none. */
  readonly gpuBytes: number | null;
}

/** What llama-server calls auto. */
const AUTO_SLOTS = -1;

/** What llama.cpp takes for every layer. */
const ALL_LAYERS = -1;

/** The controls as the check was made. */
export function initialControls({ launch, host, policy, askedQuantization }: PageInput, shape: ModelShape): Controls {
  return {
    ctxSize: launch.ctxSize || shape.hparams.nCtxTrain,
    slots: launch.parallel ?? null,
    kvUnified: launch.kvUnified ?? false,
    cacheTypeK: launch.cacheTypeK ?? SERVER_DEFAULTS.cacheType,
    cacheTypeV: launch.cacheTypeV ?? SERVER_DEFAULTS.cacheType,
    ubatchSize: launch.ubatchSize ?? SERVER_DEFAULTS.ubatchSize,
    quantization: askedQuantization,
    gpuLayers: launch.gpuLayers ?? null,
    projector: launch.mmprojAuto !== false || launch.mmproj !== undefined,
    draft: true,
    draftMax: launch.draftMax ?? null,
    totalBytes: host.totalBytes,
    inUseBytes: host.inUseBytes,
    fraction: policy.fraction ?? null,
    budgetBytes: policy.absoluteBytes ?? null,
    gpuBytes: host.gpus?.[0]?.totalBytes ?? null,
  };
}

export function launchWith({ launch }: PageInput, controls: Controls): LaunchOptions {
  const { ctxSize, slots, kvUnified, cacheTypeK, cacheTypeV, ubatchSize, gpuLayers, projector, draftMax } = controls;
  const { mmproj, ...others } = controls.draft ? launch : withoutDraft(launch);
  return {
    ...others,
    ...(draftMax !== null && { draftMax }),
    ...{ ctxSize, parallel: slots ?? AUTO_SLOTS, kvUnified, cacheTypeK, cacheTypeV, ubatchSize },
    ...{ gpuLayers: gpuLayers ?? ALL_LAYERS },
    ...(projector ? mmproj !== undefined && { mmproj } : { mmprojAuto: false }),
  };
}

/** What drafts from the text alone stays. */
function withoutDraft(launch: LaunchOptions): LaunchOptions {
  const specTypes = (launch.specTypes ?? []).filter((type) => !usesDraft(type));
  return { ...withoutOptions(launch, 'draft', 'specTypes'), ...(specTypes.length > 0 && { specTypes }) };
}

/** Another amount of memory is another machine: nothing that was measured on this one holds for it. */
export function hostWith({ host, launch }: PageInput, controls: Controls): HostMemory {
  const { totalBytes, inUseBytes, gpuBytes } = controls;
  const same = gpuBytes === null || gpuBytes === host.gpus?.[0]?.totalBytes;
  const others = same
    ? host.gpus
    : host.gpus?.map(({ index }) => ({ index, name: '', totalBytes: gpuBytes, usedBytes: 0 }));
  const gpus = { ...(others && { gpus: others }), ...(host.unifiedMemory && { unifiedMemory: true }) };
  if (totalBytes === host.totalBytes) {
    // What programs hold idle was measured together with what they have in use.
    const { idleBytes, ...known } = host;
    return { ...known, inUseBytes, ...gpus, ...(inUseBytes === host.inUseBytes && idleBytes && { idleBytes }) };
  }
  const wired = launch.accelerator === 'metal' && host.gpuWiredLimitBytes !== undefined;
  return {
    source: 'given',
    totalBytes,
    inUseBytes,
    notes: [],
    ...gpus,
    ...(wired && { gpuWiredLimitBytes: defaultWiredLimitBytes(totalBytes, undefined) }),
  };
}

/** Under an absolute budget the machine's memory counts only for what its GPU may wire. */
export function memoryMatters({ host, policy }: PageInput): boolean {
  return policy.absoluteBytes === undefined || host.gpuWiredLimitBytes !== undefined;
}

export function policyWith({ fraction, budgetBytes }: Controls): BudgetPolicy {
  if (budgetBytes !== null) return { absoluteBytes: budgetBytes };
  return fraction === null ? {} : { fraction };
}
