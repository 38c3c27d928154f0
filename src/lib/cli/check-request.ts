import type { CheckRequest } from '../preflight/check-memory.js';
import { defaultAccelerator } from '../host/measure-host.js';
import { deviceList, tensorOverrides, tensorSplit } from '../runtime/device-options.js';
import type { LaunchPatch } from '../runtime/server-options.js';
import type { LaunchFlagValues } from './flags/launch-flags.js';
import type { BudgetFlagValues } from './flags/machine-flags.js';

/** What the shared flags ask to be checked. */
export function checkRequest(model: string, flags: LaunchFlagValues & BudgetFlagValues): CheckRequest {
  const accelerator = flags.accelerator ?? defaultAccelerator();
  const here = flags['system-memory'] === undefined && accelerator !== 'metal';
  return {
    model,
    quantization: flags.quantization,
    accelerator,
    cpuArch: here ? (process.arch === 'arm64' ? 'arm' : 'x86') : undefined,
    launch: launchPatch(flags),
    // From the environment oclif takes a flag that may be repeated as one text.
    extraArgs: [flags['extra-args'] ?? []].flat(),
    machine: {
      systemMemoryBytes: flags['system-memory'],
      inUseBytes: flags['in-use'],
      gpuMemoryBytes: flags['gpu-memory'],
      unifiedMemory: flags['unified-memory'],
      gpuWiredLimitBytes: flags['gpu-wired-limit'],
    },
    policy: {
      ...(flags['memory-fraction'] !== undefined && { fraction: flags['memory-fraction'] }),
      ...(flags['memory-budget'] !== undefined && { absoluteBytes: flags['memory-budget'] }),
    },
  };
}

function launchPatch(flags: LaunchFlagValues & BudgetFlagValues): LaunchPatch {
  const flashAttn = flags['flash-attn'];
  const patch = {
    ctxSize: flags['ctx-size'],
    parallel: flags.parallel,
    kvUnified: flags['kv-unified'],
    batchSize: flags['batch-size'],
    ubatchSize: flags['ubatch-size'],
    gpuLayers: flags['gpu-layers'],
    fit: flags.fit === undefined ? undefined : flags.fit === 'on',
    fitTargetMiB: flags['fit-target'],
    fitCtx: flags['fit-ctx'],
    flashAttn: flashAttn === undefined ? undefined : flashAttn ? 'on' : 'off',
    cacheTypeK: flags['cache-type-k'],
    cacheTypeV: flags['cache-type-v'],
    swaFull: flags['swa-full'],
    kvOffload: flags['kv-offload'],
    mmap: flags.mmap,
    cacheRamMiB: flags['cache-ram'],
    mmproj: flags.mmproj ?? flags['mmproj-url'],
    mmprojAuto: flags['no-mmproj'] === true ? false : undefined,
    mmprojOffload: flags['mmproj-offload'],
    imageMinTokens: flags['image-min-tokens'],
    imageMaxTokens: flags['image-max-tokens'],
    gpus: flags.gpus,
    splitMode: flags['split-mode'],
    mainGpu: flags['main-gpu'],
    ...(flags['tensor-split'] !== undefined && tensorSplit(flags['tensor-split'])),
    ...(flags.device !== undefined && deviceList(flags.device)),
    ...(flags['override-tensor'] !== undefined && tensorOverrides([flags['override-tensor']].flat().join())),
  } as const;
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
}
