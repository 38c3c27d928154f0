export { loadCatalog } from './lib/catalog/load-catalog.js';
export type { Catalog, CatalogEntry } from './lib/catalog/catalog.js';
export { CheckIncompleteError, ClusterError, InsufficientMemoryError, LlmkubeError, UsageError } from './lib/errors.js';
export { estimateLaunch } from './lib/estimate/estimate-launch.js';
export type { LaunchEstimate, LaunchFiles } from './lib/estimate/estimate-launch.js';
export { estimateMemory } from './lib/estimate/estimate-memory.js';
export { resolveFit } from './lib/estimate/fit/resolve-fit.js';
export type { FitMachine, FitResult } from './lib/estimate/fit/resolve-fit.js';
export { totalBytes } from './lib/estimate/memory-estimate.js';
export type {
  EstimatePart,
  GrowthPart,
  MemoryEstimate,
  PartOwner,
  ResolvedLaunch,
} from './lib/estimate/memory-estimate.js';
export type { Decision, LaunchRequest } from './lib/guard/decide.js';
export type { Program } from './lib/guard/gate.js';
export { guardHere, type GuardMachine } from './lib/guard/guard-machine.js';
export { guardedSpawn, type GuardedLaunch, type GuardOutcome, type StartedProcess } from './lib/guard/guarded-spawn.js';
export type { LedgerEntry, Requirement } from './lib/guard/ledger/ledger.js';
export { watchUntilResident } from './lib/guard/watch-resident.js';
export type { GgufFile, GgufHeader, GgufTensor, MetadataValue } from './lib/gguf/header.js';
export type { HostMemory } from './lib/host/host-memory.js';
export { measureHost } from './lib/host/measure-host.js';
export { describeShape as describeModel } from './lib/model/describe-shape.js';
export type { AdapterShape, ModelShape, ProjectorShape, Shape } from './lib/model/model-shape.js';
export type { Budget } from './lib/budget/budget.js';
export type { BudgetPolicy } from './lib/budget/budget-policy.js';
export { checkMemory } from './lib/preflight/check-memory.js';
export type { CheckDependencies } from './lib/preflight/check-memory.js';
export type { CheckRequest } from './lib/preflight/plan-check.js';
export type { MemoryCheck } from './lib/preflight/memory-check.js';
export { judge, limitsOf } from './lib/preflight/judge/judge.js';
export type {
  CompletedVerdict,
  LimitCheck,
  UnknownVerdict,
  Verdict,
  VerdictKind,
} from './lib/preflight/judge/verdict.js';
export { checkJson } from './lib/report/json/check-json.js';
export type { Accelerator, CacheType, ImageSize, LaunchOptions } from './lib/runtime/launch-options.js';
export { readHeaderFor } from './lib/source/model-header.js';
export { readModelHeader } from './lib/source/open.js';
export { parseModelSource } from './lib/source/model-source.js';
export { readGgufHeader } from './lib/source/read-header.js';
