import type { MemoryEstimate, ResolvedLaunch } from '../../../src/lib/estimate/memory-estimate.js';
import type { DeployPlan } from '../../../src/lib/kube/deploy/deploy-plan.js';
import type { CompletedVerdict } from '../../../src/lib/preflight/judge/verdict.js';

const GIB = 2 ** 30;

export const RESOLVED: ResolvedLaunch = {
  llamaCpp: 'v0.5.0',
  nCtx: 8192,
  nCtxSeq: 8192,
  slots: 4,
  kvUnified: true,
  flashAttn: true,
  nBatch: 2048,
  nUbatch: 512,
  nOutputsMax: 4,
  cacheTypeK: 'f16',
  cacheTypeV: 'f16',
  gpuLayers: 33,
};

/** On the host 3 GiB when loaded and up to 5 GiB later, on the GPU 10 GiB. */
const ESTIMATE: MemoryEstimate = {
  parts: [
    { name: 'weights', of: 'model', device: 'gpu', bytes: 8 * GIB, accuracy: 'exact' },
    { name: 'kv-cache', of: 'model', device: 'gpu', bytes: 2 * GIB, accuracy: 'exact' },
    { name: 'weights', of: 'model', device: 'host', bytes: 2 * GIB, accuracy: 'exact' },
    { name: 'runtime-overhead', of: 'model', device: 'host', bytes: GIB, accuracy: 'bound' },
  ],
  growth: [{ name: 'prompt-cache', of: 'model', device: 'host', maxBytes: 2 * GIB }],
  resolved: RESOLVED,
  notes: [],
};

export function verdictOf(estimate: Partial<MemoryEstimate> = {}, budgetBytes = 20 * GIB): CompletedVerdict {
  return {
    kind: 'fits',
    estimate: { ...ESTIMATE, ...estimate },
    limits: [
      { name: 'memory', requiredBytes: 13 * GIB, budget: { kind: 'absolute', bytes: budgetBytes } },
      { name: 'gpu', requiredBytes: 10 * GIB, budget: { kind: 'gpu-wired', bytes: 24 * GIB } },
    ],
    warnings: [],
  };
}

/** A plan for a CPU service named `tiny` that was checked and fits. */
export function planFor(changes: Partial<DeployPlan> = {}): DeployPlan {
  return {
    name: 'tiny',
    namespace: 'default',
    source: 'https://host.example/tiny.gguf',
    launch: { accelerator: 'cpu', ctxSize: 8192 },
    check: { mode: 'enforce', version: '1.2.3', verdict: verdictOf() },
    ...changes,
  };
}
