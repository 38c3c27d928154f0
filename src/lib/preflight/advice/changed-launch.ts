import type { LaunchOptions } from '../../runtime/launch-options.js';
import type { Change } from './advice.js';

/** A launch with changes made; those of the model and of the machine leave it as it is. */
export function changedLaunch(launch: LaunchOptions, changes: readonly Change[]): LaunchOptions {
  return changes.reduce((before, change) => ({ ...before, ...patchOf(change) }), launch);
}

function patchOf(change: Change): Partial<LaunchOptions> {
  switch (change.kind) {
    case 'projector':
      return { mmprojAuto: false };
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
    case 'load':
      return { ...(change.mmap === false && { mmap: false }), ...(change.repack === false && { repack: false }) };
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
