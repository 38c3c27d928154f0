import type { LaunchOptions } from '../../runtime/launch-options.js';
import { deviceNumbers } from '../../runtime/options/device-options.js';
import { refuseDevices } from '../devices.js';
import type { ResolvedLaunch } from '../memory-estimate.js';
import { SERVER_DEFAULTS } from '../../runtime/server-defaults.js';

/**
 * `common_base_params_to_speculative` (`common/speculative.cpp`, llama.cpp v0.5.0): the draft has as much context as the whole
 * target, as many slots, an f16 cache unless told otherwise, and all layers where the target's are allowed to go. A head in the
 * model's own file is placed with the model.
 */
export function draftLaunch(launch: LaunchOptions, target: ResolvedLaunch, ownFile: boolean): LaunchOptions {
  const { cpuMoeLayers, tensorOverrides, gpuLayers, devices, ...rest } = launch;
  const {
    draftDevice,
    draftGpuLayers,
    draftCacheTypeK = SERVER_DEFAULTS.cacheType,
    draftCacheTypeV = SERVER_DEFAULTS.cacheType,
    draftUbatchSize = 0,
  } = launch;
  const common = {
    ...rest,
    mode: 'chat' as const,
    expertCacheMiB: 0,
    ctxSize: target.nCtx,
    parallel: target.slots,
    kvUnified: target.kvUnified,
    cacheTypeK: draftCacheTypeK,
    cacheTypeV: draftCacheTypeV,
    ...(draftUbatchSize > 0 && { ubatchSize: draftUbatchSize }),
  };
  const placedLike = {
    ...(gpuLayers === undefined ? {} : { gpuLayers }),
    ...(devices === undefined ? {} : { devices }),
    ...(cpuMoeLayers === undefined ? {} : { cpuMoeLayers }),
    ...(tensorOverrides === undefined ? {} : { tensorOverrides }),
  };
  if (!ownFile) return { ...common, ...placedLike };
  const own = draftDevice === undefined ? undefined : deviceNumbers(draftDevice);
  if (own !== undefined && launch.accelerator !== 'cpu') refuseDevices('--spec-draft-device', own, launch);
  const used = own ?? devices;
  return {
    ...common,
    ...(draftGpuLayers === undefined ? {} : { gpuLayers: draftGpuLayers }),
    ...(used === undefined ? {} : { devices: used }),
  };
}
