import type { CheckRequest } from '../preflight/plan-check.js';
import { cpuArchHere } from '../host/probe.js';
import { foundNote } from '../host/gpu/find-accelerator.js';
import { installedServer, serverVersion, thisMachinesServers } from '../host/installed-server.js';
import { llamaCpp } from '../runtime/llama-cpp.js';
import type { LaunchPatch } from '../runtime/options/server-options.js';
import { cacheDirHere } from './cache-dir.js';
import { launchPatch, type LaunchFlagValues } from './flags/launch-flags.js';
import type { BudgetFlagValues } from './flags/machine-flags.js';
import { isElsewhere, meantAccelerator } from './meant-machine.js';

/** What the shared flags ask to be checked. @param variables the environment variable of each flag that was said by one */
export async function checkRequest(
  model: string,
  flags: LaunchFlagValues & BudgetFlagValues,
  variables: ReadonlyMap<string, string> = new Map(),
): Promise<CheckRequest> {
  const found = await meantAccelerator(flags);
  const { accelerator } = found;
  const note = foundNote(found);
  const llama = await meantLlamaCpp(flags);
  const here = flags['system-memory'] === undefined && accelerator !== 'metal';
  return {
    model,
    quantization: flags.quantization,
    file: flags.file,
    accelerator,
    cpuArch: here ? cpuArchHere() : undefined,
    launch: { ...launchPatch(flags), ...(flags.gpus !== undefined && { gpus: flags.gpus }), ...llama.patch },
    notes: [...(note === undefined ? [] : [note]), ...llama.notes],
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
      from: variables.get(flags['memory-budget'] === undefined ? 'memory-fraction' : 'memory-budget'),
    },
  };
}

interface MeantLlamaCpp {
  readonly patch: LaunchPatch;
  readonly notes: readonly string[];
}

/**
 * The llama.cpp of the launch: as named, as a llama-server's path says, or this machine's own where this machine is checked.
 * Nothing where none is found or the one that is found does not say: the newest known.
 */
async function meantLlamaCpp(flags: LaunchFlagValues & BudgetFlagValues): Promise<MeantLlamaCpp> {
  const asked = flags['llama-cpp'] ?? 'auto';
  const meant = (version: string): MeantLlamaCpp => ({ patch: { llamaCpp: version }, notes: [] });
  if (asked !== 'auto' && !/[/\\]/.test(asked)) return meant(llamaCpp(asked).name);
  const probe = thisMachinesServers(cacheDirHere());
  if (asked !== 'auto') return meant(await serverVersion(asked, probe));
  const found = isElsewhere(flags) ? undefined : await installedServer(probe);
  if (found?.version !== undefined) return meant(found.version);
  const newest = llamaCpp().name;
  const unsaid = `${found?.path} does not say which llama.cpp it is: the figures are for ${newest}; name it with --llama-cpp`;
  return { patch: {}, notes: found === undefined ? [] : [unsaid] };
}
