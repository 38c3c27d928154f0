import { type FoundAccelerator, findAccelerator } from '../host/gpu/find-accelerator.js';
import { defaultAccelerator } from '../host/measure-host.js';
import type { Accelerator } from '../runtime/launch-options.js';

interface MachineFlags {
  readonly accelerator?: Accelerator | undefined;
  readonly 'system-memory'?: number | undefined;
  readonly 'memory-budget'?: number | undefined;
}

/** Another machine than this one is described, or none is looked at. */
export function isElsewhere(flags: MachineFlags): boolean {
  return flags['system-memory'] !== undefined || flags['memory-budget'] !== undefined;
}

const found = new WeakMap<MachineFlags, Promise<FoundAccelerator>>();

/** As named, or of this machine where this machine is checked, which is asked once for the flags of a command. */
export async function meantAccelerator(flags: MachineFlags): Promise<FoundAccelerator> {
  if (flags.accelerator !== undefined) return { accelerator: flags.accelerator, gpus: [] };
  if (isElsewhere(flags)) return { accelerator: defaultAccelerator(), gpus: [] };
  const known = found.get(flags) ?? findAccelerator();
  found.set(flags, known);
  return known;
}
