import type { Accelerator } from '../runtime/launch-options.js';
import { CheckIncompleteError, UsageError } from '../errors.js';
import { measureGpus } from './gpu/gpus.js';
import type { Gpu, HostMemory } from './host-memory.js';
import { measureLinux } from './linux.js';
import { measureMac } from './macos.js';
import { thisMachine, type Probe } from './probe.js';
import { defaultWiredLimitBytes } from './wired-limit.js';
import { unmeasured } from './unmeasured.js';

/** Which machine is meant; amounts that are left out are measured on this one. */
export interface MachineRequest {
  readonly accelerator: Accelerator;
  readonly systemMemoryBytes?: number | undefined;
  readonly inUseBytes?: number | undefined;
  /** Of one GPU, or of each. */
  readonly gpuMemoryBytes?: number | readonly number[] | undefined;
  /** How many GPUs of one size. */
  readonly gpus?: number | undefined;
  /** What Metal may wire, where somebody has raised `iogpu.wired_limit_mb`, or is about to. */
  readonly gpuWiredLimitBytes?: number | undefined;
  /** The GPU has no memory of its own: both are one pool. */
  readonly unifiedMemory?: boolean | undefined;
  /** An absolute budget: with it a machine that cannot be measured from here need not be known. */
  readonly budgetBytes?: number | undefined;
  /** Processes of this machine whose mapped weights are counted elsewhere: those of the guard's ledger. */
  readonly ledgered?: readonly number[] | undefined;
}

export type MeasureHost = (request: MachineRequest) => Promise<HostMemory>;

/** `metal` on Apple silicon, else `cpu`. */
export function defaultAccelerator(probe: Pick<Probe, 'platform' | 'arch'> = thisMachine): Accelerator {
  return probe.platform === 'darwin' && probe.arch === 'arm64' ? 'metal' : 'cpu';
}

/**
 * The machine that was asked for, as it is now.
 * @throws UsageError INVALID_QUANTITY for amounts that cannot be
 * @throws CheckIncompleteError MACHINE_UNKNOWN, GPU_MEMORY_UNKNOWN, MEASUREMENT_FAILED
 */
export async function measureHost(request: MachineRequest, probe: Probe = thisMachine): Promise<HostMemory> {
  const host = await systemMemory(request, probe);
  if (host.inUseBytes > host.totalBytes) {
    throw new UsageError('INVALID_QUANTITY', 'more memory is said to be in use than the machine has', {
      suggestions: ['lower --in-use, or raise --system-memory'],
    });
  }
  if (request.accelerator === 'metal') return withWiredNote(withWiredLimit(host, request), request);
  return request.accelerator === 'cpu' ? host : withGpus(host, request, probe);
}

/** What a budget makes meaningless, and what is not known. */
function notesOn({ accelerator, systemMemoryBytes, inUseBytes, budgetBytes }: MachineRequest): readonly string[] {
  if (budgetBytes === undefined) return inUseBytes === undefined ? ['--in-use was not given: counted as 0'] : [];
  const idle = [
    ...(inUseBytes === undefined ? [] : ['--in-use']),
    ...(systemMemoryBytes === undefined || accelerator === 'metal' ? [] : ['--system-memory']),
  ];
  return idle.map((flag) => `${flag} says nothing beside --memory-budget`);
}

async function systemMemory(request: MachineRequest, probe: Probe): Promise<HostMemory> {
  const { accelerator, systemMemoryBytes, inUseBytes, budgetBytes } = request;
  if (systemMemoryBytes !== undefined) {
    if (systemMemoryBytes <= 0) throw new UsageError('INVALID_QUANTITY', '--system-memory must be more than nothing');
    return { source: 'given', totalBytes: systemMemoryBytes, inUseBytes: inUseBytes ?? 0, notes: notesOn(request) };
  }
  if (accelerator === 'metal' && probe.platform !== 'darwin') {
    if (budgetBytes !== undefined) return budgetOnly(budgetBytes, request);
    throw new CheckIncompleteError('MACHINE_UNKNOWN', "this is not a Mac, so a Mac's memory cannot be measured here", {
      suggestions: [
        "give the Mac's memory: --system-memory 32Gi --in-use 4Gi",
        'name what this machine has instead, such as --accelerator cpu',
      ],
    });
  }
  const { idleBytes, ...host } = await measure(probe, request.ledgered);
  if (inUseBytes === undefined) return { ...host, ...(idleBytes && { idleBytes }) };
  return { ...host, inUseBytes, notes: [...host.notes, ...(budgetBytes === undefined ? [] : notesOn(request))] };
}

function budgetOnly(budgetBytes: number, request: MachineRequest): HostMemory {
  const unchecked = 'what the GPU of that Mac may wire was not checked: --system-memory was not given';
  const notes = [...(request.gpuWiredLimitBytes === undefined ? [unchecked] : []), ...notesOn(request)];
  return { source: 'given', totalBytes: budgetBytes, inUseBytes: 0, notes };
}

function measure(probe: Probe, ledgered: readonly number[] | undefined): Promise<HostMemory> {
  if (probe.platform === 'darwin') return measureMac(probe.run);
  if (probe.platform === 'linux') return measureLinux(probe, ledgered);
  throw unmeasured(`memory cannot be measured on ${probe.platform}`, 'MACHINE_UNKNOWN');
}

function withWiredLimit(host: HostMemory, request: MachineRequest): HostMemory {
  const { gpuWiredLimitBytes, systemMemoryBytes } = request;
  if (gpuWiredLimitBytes !== undefined) return { ...host, gpuWiredLimitBytes, wiredLimitIsGiven: true };
  if (host.gpuWiredLimitBytes !== undefined || systemMemoryBytes === undefined) return host;
  return { ...host, gpuWiredLimitBytes: defaultWiredLimitBytes(host.totalBytes, undefined) };
}

/** Of a limit that holds nothing back; a machine of which nothing but a budget is known may have more. */
function withWiredNote(host: HostMemory, { systemMemoryBytes }: MachineRequest): HostMemory {
  const { gpuWiredLimitBytes = 0, totalBytes, source, wiredLimitIsGiven } = host;
  const isKnown = source === 'measured' || systemMemoryBytes !== undefined;
  if (!isKnown || gpuWiredLimitBytes <= totalBytes) return host;
  const said = wiredLimitIsGiven ? '--gpu-wired-limit' : 'iogpu.wired_limit_mb';
  return { ...host, notes: [...host.notes, `${said} is more than all the memory that the machine has`] };
}

/** One amount is that of each of so many GPUs. */
function givenGpus(memoryBytes: number | readonly number[], count: number | undefined): readonly Gpu[] {
  const given = [memoryBytes].flat();
  const sizes = given.length === 1 ? new Array<number>(count ?? 1).fill(given[0] ?? 0) : given;
  if (count !== undefined && count !== sizes.length) {
    throw new UsageError(
      'CONTRADICTION',
      `--gpus ${count} and the ${sizes.length} amounts of --gpu-memory contradict each other`,
      {
        suggestions: ['leave --gpus out, or give one amount for all'],
      },
    );
  }
  return sizes.map((totalBytes, index) => ({ index, name: '', totalBytes, usedBytes: 0 }));
}

async function withGpus(host: HostMemory, request: MachineRequest, probe: Probe): Promise<HostMemory> {
  const { accelerator, gpuMemoryBytes, unifiedMemory } = request;
  if (gpuMemoryBytes !== undefined) {
    const gpus = givenGpus(gpuMemoryBytes, request.gpus);
    return { ...host, gpus, ...(unifiedMemory && { unifiedMemory }) };
  }
  if (unifiedMemory) return { ...host, unifiedMemory };
  const measured =
    host.source === 'measured' ? await measureGpus(accelerator, host, probe, request.ledgered) : undefined;
  if (measured === undefined) {
    throw new CheckIncompleteError('GPU_MEMORY_UNKNOWN', `the memory of the ${accelerator} GPU is not known`, {
      suggestions: ['give it: --gpu-memory 24Gi'],
    });
  }
  return measured;
}
