import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { isDiscrete } from '../judge/judge.js';
import type { Change, ModelVariant, Suggestion } from './advice.js';
import { compareLosses } from './losses.js';
import { otherShares, sharedExperts } from './gpu-shares.js';
import { launchChanges, type Refused } from './launch-changes.js';
import { machineChanges, smallestMachine } from './machine-changes.js';
import { leastLeft, Trials, type Room } from './trials.js';

/** More than these nobody reads. */
const MOST_SUGGESTIONS = 7;
const MOST_OF_MACHINE = 2;
const MACHINE_KINDS: readonly Change['kind'][] = ['free-memory', 'memory-fraction', 'wired-limit'];

export interface AdviceRequest {
  readonly shape: ModelShape;
  readonly launch: LaunchOptions;
  readonly room: Room;
  /** Smaller quantizations of the same model, in any order. */
  readonly variants: readonly ModelVariant[];
  /** To share what was estimated before, in the same room. */
  readonly trials?: Trials;
}

/**
 * What would make a refused launch fit, what loses least quality first, then what changes the machine; each held against
 * the same limits by the same code that refused; where nothing does, the smallest machine that would run it. Empty when
 * the launch is not refused.
 */
export function advise({
  shape,
  launch,
  room,
  variants,
  trials = new Trials(room),
}: AdviceRequest): readonly Suggestion[] {
  const verdict = trials.judge(shape, launch);
  if (verdict?.kind !== 'does-not-fit') return [];
  const smaller = variants
    .filter((variant) => variant.shape.fileBytes < shape.fileBytes)
    .sort((a, b) => b.shape.fileBytes - a.shape.fileBytes);
  const refused = { shape, launch, variants: smaller, verdict, estimate: verdict.estimate };
  const changes = launchChanges(trials, refused);
  const shared = otherShares(trials, shape, launch);
  const onGpus = shared === undefined ? withSharedExperts(trials, refused, changes) : changes;
  const launches = [...onGpus, ...withoutGpu(trials, refused)];
  const suggestions = [...launches, ...machineChanges(trials, refused, smaller)];
  if (shared !== undefined) return atMost([shared, ...suggestions]);
  if (suggestions.length > 0) return atMost(suggestions);
  const machine = smallestMachine(trials, refused);
  return machine === undefined ? [] : [machine];
}

/** Where not even a launch without layers leaves a GPU room, as beside other programs: what fits when it is not used at all. */
function withoutGpu(trials: Trials, refused: Refused): readonly Suggestion[] {
  const { shape, launch } = refused;
  const { host } = trials.room;
  if (!isDiscrete(launch.accelerator) || host.unifiedMemory === true || launch.devices !== undefined) return [];
  const bare = { ...launch, gpuLayers: 0 };
  const leftOnGpus = leastLeft(0, ({ name }) => name === 'gpu');
  if ((trials.likelyHeadroom(shape, bare, leftOnGpus) ?? 0) >= 0 || trials.fits(shape, bare, leftOnGpus)) return [];
  const change = { kind: 'no-gpu' } as const;
  const onHost = { ...launch, devices: [] };
  const verdict = trials.judge(shape, onHost);
  if (verdict === undefined) return [];
  if (verdict.kind !== 'does-not-fit') return [{ changes: [change], verdict }];
  const found = launchChanges(trials, { ...refused, launch: onHost, estimate: verdict.estimate });
  return found.map((one) => ({ ...one, changes: [change, ...one.changes] }));
}

/** Where experts of fewer layers need leave when the GPUs share the layers otherwise, that instead of the experts alone. */
function withSharedExperts(
  trials: Trials,
  { shape, launch }: Pick<AdviceRequest, 'shape' | 'launch'>,
  suggestions: readonly Suggestion[],
): readonly Suggestion[] {
  const better = sharedExperts(trials, shape, launch);
  if (better === undefined) return suggestions;
  const isAlone = ({ changes }: Suggestion): boolean => changes.length === 1 && changes[0]?.kind === 'cpu-experts';
  if (suggestions.some((one) => isAlone(one) && compareLosses(one.changes, better.changes) < 0)) return suggestions;
  const others = suggestions.filter((one) => !isAlone(one));
  return [better, ...others].sort((a, b) => compareLosses(a.changes, b.changes));
}

/** The best of the launch and of the machine: neither crowds out the other. */
function atMost(suggestions: readonly Suggestion[]): readonly Suggestion[] {
  const isOfMachine = ({ changes }: Suggestion): boolean => changes.some(({ kind }) => MACHINE_KINDS.includes(kind));
  const machine = suggestions.filter(isOfMachine).slice(0, MOST_OF_MACHINE);
  const launch = suggestions.filter((one) => !isOfMachine(one)).slice(0, MOST_SUGGESTIONS - machine.length);
  return [...launch, ...machine];
}
