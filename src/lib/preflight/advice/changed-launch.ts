import { type LaunchOptions, withoutOptions } from '../../runtime/launch-options.js';
import type { Change } from './advice.js';

/** A launch with changes made; those of the model and of the machine leave it as it is. */
export function changedLaunch(launch: LaunchOptions, changes: readonly Change[]): LaunchOptions {
  return changes.reduce((before, change) => changedBy(before, change), launch);
}

function changedBy(launch: LaunchOptions, change: Change): LaunchOptions {
  if (change.kind === 'no-draft') {
    const rest = withoutOptions(launch, 'draft', 'specTypes');
    return change.types.length === 0 ? rest : { ...rest, specTypes: change.types };
  }
  if (change.kind === 'projector') return { ...withoutOptions(launch, 'mmproj'), mmprojAuto: false };
  return { ...launch, ...patchOf(change) };
}

function patchOf(change: Exclude<Change, { kind: 'no-draft' | 'projector' }>): Partial<LaunchOptions> {
  switch (change.kind) {
    case 'projector-on-cpu':
      return { mmprojOffload: false };
    case 'draft-cache-type':
      return { draftCacheTypeK: change.type, draftCacheTypeV: change.type };
    case 'draft-quantization':
      return { draft: change.variant.source };
    case 'draft-tokens':
      return { draftMax: change.tokens };
    case 'draft-on-cpu':
      return { draftGpuLayers: 0 };
    case 'slots':
      return { parallel: change.slots };
    case 'ubatch':
      return { ubatchSize: change.tokens };
    case 'cache-type':
      return { cacheTypeK: change.type, cacheTypeV: change.type };
    case 'context':
      return { ctxSize: change.tokens };
    case 'prompt-cache':
      return { cacheRamMiB: change.mebibytes };
    case 'checkpoints':
      return { ctxCheckpoints: change.count };
    case 'image-tokens':
      return { imageMaxTokens: change.tokens };
    case 'load':
      return { ...(change.mmap === false && { mmap: false }), ...(change.repack === false && { repack: false }) };
    case 'tensor-split':
      return { tensorSplit: change.shares };
    case 'gpu-layers':
      return { gpuLayers: change.layers };
    case 'cpu-experts':
      return { cpuMoeLayers: change.layers };
    case 'quantization':
    case 'free-memory':
    case 'memory-fraction':
    case 'wired-limit':
    case 'machine':
      return {};
  }
}
