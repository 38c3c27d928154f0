import { defaultFraction } from '../../budget/budget-policy.js';
import type { Gpu, HostMemory } from '../../host/host-memory.js';
import { GPU_SIZES_GB, MAC_SIZES_GB } from '../../host/memory-sizes.js';
import { defaultWiredLimitBytes } from '../../host/wired-limit.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import type { Change, ModelVariant, Suggestion } from './advice.js';
import { isDiscrete } from '../judge/judge.js';
import type { Room, Trials } from './trials.js';
import { headroomBytes, type CompletedVerdict, type LimitCheck } from '../judge/verdict.js';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
/** What a system and its desktop hold at the least; nobody can free that. */
const LEAST_IN_USE_BYTES = 2 * GIB;
/** What must stay free beside everything that is counted before a limit is called safe to raise. */
const SAFE_RESERVE_BYTES = 4 * GIB;
const SAFE_RESERVE_SHARE = 0.125;
const FREED_STEP_BYTES = GIB / 10;
const SYSTEM_SIZES_GB: readonly number[] = [8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048];

interface RefusedLaunch {
  readonly shape: ModelShape;
  readonly launch: LaunchOptions;
  readonly verdict: CompletedVerdict;
}

/**
 * What to change about the machine so that a launch fits; only what leaves the system enough. Where freeing memory is not
 * enough for the model as it is, it may be for a better quantization than fits without.
 */
export function machineChanges(
  trials: Trials,
  refused: RefusedLaunch,
  variants: readonly ModelVariant[],
): readonly Suggestion[] {
  const { shape, launch, verdict } = refused;
  const freed = freedMemory(trials.room, verdict.limits);
  const candidates = [freed, raisedLimits(trials.room, refused)].flatMap((candidate) =>
    found(trials, shape, launch, candidate),
  );
  const better = freed === undefined ? withFreedMemory(trials, refused, variants) : undefined;
  return better === undefined ? candidates : [better, ...candidates];
}

function found(
  trials: Trials,
  shape: ModelShape,
  launch: LaunchOptions,
  candidate: Candidate | undefined,
): readonly Suggestion[] {
  const verdict = candidate && trials.fitting(shape, launch, candidate.room);
  return verdict === undefined ? [] : [{ changes: candidate?.changes ?? [], verdict }];
}

/** The largest quantization that fits once memory is freed, where it would not without. */
function withFreedMemory(
  trials: Trials,
  { launch }: RefusedLaunch,
  variants: readonly ModelVariant[],
): Suggestion | undefined {
  const isHopeless = (limits: readonly LimitCheck[]): boolean => freedMemory(trials.room, limits) === undefined;
  for (const variant of variants) {
    const least = trials.leastLimits(variant.shape, launch);
    if (least?.some((limit) => headroomBytes(limit) < 0) && isHopeless(least)) continue;
    const verdict = trials.judge(variant.shape, launch);
    if (verdict === undefined) continue;
    if (verdict.kind !== 'does-not-fit') return undefined;
    const [fit] = found(trials, variant.shape, launch, freedMemory(trials.room, verdict.limits));
    if (fit !== undefined) return { ...fit, changes: [{ kind: 'quantization', variant }, ...fit.changes] };
  }
  return undefined;
}

interface Candidate {
  readonly room: Room;
  readonly changes: readonly Change[];
}

function limitOf(limits: readonly LimitCheck[], name: LimitCheck['name']): LimitCheck | undefined {
  return limits.find((limit) => limit.name === name);
}

/** With memory freed, where enough of it is not the system's own. */
function freedMemory({ host, policy }: Room, limits: readonly LimitCheck[]): Candidate | undefined {
  const limit = limitOf(limits, 'memory');
  if (limit?.budget.kind !== 'fraction' || limit.budget.scope === 'cgroup' || headroomBytes(limit) >= 0) {
    return undefined;
  }
  const { inUseBytes: before } = limit.budget;
  const freeBytes = Math.ceil(-headroomBytes(limit) / FREED_STEP_BYTES) * FREED_STEP_BYTES;
  const inUseBytes = Math.floor((before - freeBytes) / MIB) * MIB;
  if (inUseBytes < LEAST_IN_USE_BYTES) return undefined;
  const change = { kind: 'free-memory', freeBytes, inUseBytes } as const;
  return { room: { host: { ...host, inUseBytes }, policy }, changes: [change] };
}

/** With a higher fraction, a higher limit for Metal, or both, where the system keeps a reserve. */
function raisedLimits({ host, policy }: Room, { verdict }: RefusedLaunch): Candidate | undefined {
  const memory = limitOf(verdict.limits, 'memory');
  const gpu = limitOf(verdict.limits, 'gpu');
  const reserve = Math.max(SAFE_RESERVE_BYTES, host.totalBytes * SAFE_RESERVE_SHARE);
  const changes: Change[] = [];
  let room: Room = { host, policy };
  if (memory !== undefined && headroomBytes(memory) < 0) {
    if (memory.budget.kind !== 'fraction' || memory.budget.scope === 'cgroup') return undefined;
    const takenBytes = memory.requiredBytes + host.inUseBytes;
    const fraction = Math.ceil((takenBytes / host.totalBytes) * 100) / 100;
    const leftBytes = host.totalBytes - takenBytes;
    if (leftBytes < reserve) return undefined;
    room = { ...room, policy: { ...policy, fraction } };
    changes.push({ kind: 'memory-fraction', fraction, leftBytes });
  }
  if (gpu !== undefined && headroomBytes(gpu) < 0) {
    if (gpu.budget.kind !== 'gpu-wired') return undefined;
    const mebibytes = Math.ceil(gpu.requiredBytes / (256 * MIB)) * 256;
    const leftBytes = host.totalBytes - Math.max(mebibytes * MIB, (memory?.requiredBytes ?? 0) + host.inUseBytes);
    if (leftBytes < reserve) return undefined;
    room = { ...room, host: { ...room.host, gpuWiredLimitBytes: mebibytes * MIB } };
    changes.push({ kind: 'wired-limit', mebibytes, leftBytes });
  }
  return changes.length === 0 ? undefined : { room, changes };
}

/**
 * The smallest machine of the same kind that runs a launch as it is, with as much in use as here and its default limits.
 */
export function smallestMachine(
  trials: Trials,
  { shape, launch }: Pick<RefusedLaunch, 'shape' | 'launch'>,
): Suggestion | undefined {
  const { host, policy } = trials.room;
  if (policy.absoluteBytes !== undefined) return largerBudget(trials, { shape, launch });
  const memory = launch.accelerator === 'metal' ? 'mac' : hasOwnGpus(launch, host) ? 'gpu' : 'system';
  const sizes = { mac: MAC_SIZES_GB, gpu: GPU_SIZES_GB, system: SYSTEM_SIZES_GB }[memory];
  const gpus = memory === 'gpu' ? (host.gpus?.length ?? 1) : 1;
  for (const gigabytes of sizes) {
    const bytes = gigabytes * GIB;
    const other: Room =
      memory === 'gpu'
        ? { policy, host: { ...host, gpus: cards(gpus, bytes) } }
        : sizedRoom(host, bytes, memory, policy);
    const verdict = trials.fitting(shape, launch, other);
    const measured = host.source === 'measured' && memory !== 'gpu' && { inUseBytes: host.inUseBytes };
    const wiredLimitBytes = host.wiredLimitIsGiven && memory === 'mac' ? other.host.gpuWiredLimitBytes : undefined;
    const change = {
      ...({ kind: 'machine', gigabytes, memory } as const),
      ...(host.source === 'measured' && isDiscrete(launch.accelerator) && { found: foundGpu(launch, host) }),
      ...(gpus > 1 && { gpus }),
      ...measured,
      ...(wiredLimitBytes !== undefined && { wiredLimitBytes }),
    };
    if (verdict !== undefined) return { changes: [change], verdict };
  }
  return undefined;
}

function foundGpu({ accelerator }: LaunchOptions, { unifiedMemory = false }: HostMemory) {
  return { accelerator, sharesMemory: unifiedMemory };
}

function hasOwnGpus({ accelerator }: LaunchOptions, { unifiedMemory }: HostMemory): boolean {
  return isDiscrete(accelerator) && unifiedMemory !== true;
}

function cards(count: number, totalBytes: number): readonly Gpu[] {
  return Array.from({ length: count }, (_, index) => ({ index, name: '', totalBytes, usedBytes: 0 }));
}

function sizedRoom(host: HostMemory, bytes: number, memory: 'mac' | 'system', { fraction }: Room['policy']): Room {
  const room = roomOf(bytes, host.inUseBytes, memory === 'mac', fraction);
  return host.unifiedMemory ? { ...room, host: { ...room.host, unifiedMemory: true } } : room;
}

function largerBudget(
  trials: Trials,
  { shape, launch }: Pick<RefusedLaunch, 'shape' | 'launch'>,
): Suggestion | undefined {
  const { host, policy } = trials.room;
  const memory = limitOf(trials.judge(shape, launch)?.limits ?? [], 'memory');
  if (memory === undefined) return undefined;
  const takenBytes = (policy.absoluteBytes ?? 0) - memory.budget.bytes;
  const gigabytes = Math.ceil((memory.requiredBytes + takenBytes) / GIB);
  const verdict = trials.fitting(shape, launch, { host, policy: { ...policy, absoluteBytes: gigabytes * GIB } });
  return verdict && { changes: [{ kind: 'machine', gigabytes, memory: 'budget' }], verdict };
}

/** Another machine as --system-memory and --in-use describe it. */
export function roomOf(totalBytes: number, inUseBytes: number, isMac: boolean, fraction?: number): Room {
  const base = { source: 'given', totalBytes, inUseBytes, notes: [] } as const;
  const host = isMac ? { ...base, gpuWiredLimitBytes: defaultWiredLimitBytes(totalBytes, undefined) } : base;
  return { host, policy: { fraction: fraction ?? defaultFraction(totalBytes) } };
}
