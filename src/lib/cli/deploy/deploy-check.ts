import { UsageError } from '../../errors.js';
import { defaultAccelerator } from '../../host/measure-host.js';
import { checkMemory, type CheckDependencies } from '../../preflight/check-memory.js';
import { planCheck, type CheckRequest } from '../../preflight/plan-check.js';
import { isComplete, type MemoryCheck, type PlannedCheck } from '../../preflight/memory-check.js';
import { isDiscrete } from '../../preflight/judge/judge.js';
import type { Accelerator } from '../../runtime/launch-options.js';
import { splitWords } from '../../runtime/server-arguments.js';
import { checkRequest } from '../check-request.js';
import type { DeployFlagValues } from '../flags/deploy-flags.js';
import type { LaunchFlagValues } from '../flags/launch-flags.js';
import type { MachineFlagValues } from '../flags/machine-flags.js';
import { containerNote } from './container-note.js';
import { podGpus } from './pod-gpus.js';

type Flags = DeployFlagValues & LaunchFlagValues & MachineFlagValues;

/** A check, or with `--memory-check off` only what it would have been about. */
export type DeployCheck = MemoryCheck | PlannedCheck;

export function wasMade(check: DeployCheck): check is MemoryCheck {
  return 'verdict' in check;
}

/**
 * The memory check of a deploy. `--source` is what is read then, and the argument only a name; `--source-override` is
 * read in place of the catalogue's source. With either, `--quantization` and `--file` change nothing, and advice would be wrong.
 * @throws UsageError for a model or options that are not understood
 */
export async function deployCheck(
  model: string,
  flags: Flags,
  dependencies: CheckDependencies,
  variables?: ReadonlyMap<string, string>,
): Promise<DeployCheck> {
  const { source, 'source-override': override } = flags;
  const accelerator = chooseAccelerator(flags);
  const { quantization, file } = source === undefined ? flags : {};
  // A pod sees the GPUs that it asks for, of one size.
  const gpus = isDiscrete(accelerator) ? podGpus(flags) : flags.gpus;
  const asked = await checkRequest(source ?? model, { ...flags, accelerator, quantization, file, gpus }, variables);
  // What stands at another place has no projector that the catalogue knows of.
  const mmprojAuto = override === undefined ? asked.launch.mmprojAuto : false;
  const launch = mmprojAuto === undefined ? asked.launch : { ...asked.launch, mmprojAuto };
  const request = { ...asked, launch, namesLaunch: true, isStarted: true };
  const { advise, ...others } = dependencies;
  const isNamedByModel = source === undefined && override === undefined;
  const { findProjector, findDraft, ...withoutSiblings } = others;
  const replaced = override === undefined ? undefined : (await planCheck(request, dependencies)).source;
  const reading: CheckDependencies = {
    ...withoutSiblings,
    ...(advise && isNamedByModel && { advise }),
    // llama-server fetches a draft's repository in the cluster too, but finds no sibling of a model that was staged.
    findDraft: async (from, types) => (from === request.launch.draft ? findDraft?.(from, types) : undefined),
    readHeader: (resolved) =>
      dependencies.readHeader(
        resolved.source !== replaced || override === undefined
          ? resolved
          : { ...resolved, source: override, entry: undefined },
      ),
  };
  const check = await checkAsFarAsAsked(request, reading, flags);
  const named = { ...check, model, source: override ?? check.source };
  if (!wasMade(named)) return named;
  const notes = [
    await siblingNote(named, findProjector),
    await draftNote(named, findDraft),
    containerNote(named, flags.memory),
  ];
  return notes.reduce<MemoryCheck>((all, note) => (note === undefined ? all : withNote(all, note)), named);
}

function withNote(check: MemoryCheck, note: string): MemoryCheck {
  const warnings = [...check.verdict.warnings, note];
  return isComplete(check)
    ? { ...check, verdict: { ...check.verdict, warnings } }
    : { ...check, verdict: { ...check.verdict, warnings } };
}

/** What the cluster loads otherwise than llama-server would here: the model's file alone, where `llama-server -hf` would find a projector beside it. */
async function siblingNote(
  { source, entry, launch, ...check }: MemoryCheck,
  findProjector: CheckDependencies['findProjector'],
): Promise<string | undefined> {
  if (check.projector !== undefined && launch.accelerator === 'metal')
    return "LLMKube's own agent on a Mac loads the model without its projector; that of llmkube loads both";
  const isNamed = entry !== undefined || launch.mmproj !== undefined || launch.mmprojAuto === false;
  if (isNamed || !source.startsWith('hf:')) return undefined;
  const beside = await findProjector?.(source).catch(() => undefined);
  return (
    beside && `without ${beside.source}, which llama-server -hf would load too: name it with --mmproj to deploy it`
  );
}

/** The same for a draft that `--spec-type` asks for. */
async function draftNote(
  { source, entry, launch }: MemoryCheck,
  findDraft: CheckDependencies['findDraft'],
): Promise<string | undefined> {
  const { specTypes = [], draft } = launch;
  const types = specTypes.filter((type) => type !== 'none');
  if (draft !== undefined || entry !== undefined || types.length === 0 || !source.startsWith('hf:')) return undefined;
  const beside = await findDraft?.(source, types).catch(() => undefined);
  return (
    beside &&
    `without ${beside.source}, which llama-server -hf would load too: name it with --spec-draft-model to deploy it`
  );
}

async function checkAsFarAsAsked(
  request: CheckRequest,
  dependencies: CheckDependencies,
  { 'memory-check': mode, runtime }: Flags,
): Promise<DeployCheck> {
  if (mode !== 'off' && runtime === 'llamacpp') return checkMemory(request, dependencies);
  // Another server's arguments are its own.
  const { extraArgs } = request;
  const isOther = runtime !== 'llamacpp';
  const plan = await planCheck(isOther ? { ...request, extraArgs: [] } : request, dependencies);
  const planned = isOther ? { ...plan, extraWords: extraArgs.flatMap(splitWords) } : plan;
  if (mode === 'off') return planned;
  const reason = `--runtime ${runtime} is not llama-server, the only one whose memory can be estimated`;
  return {
    ...planned,
    verdict: { kind: 'unknown', code: 'RUNTIME_NOT_MODELLED', reason, warnings: [] },
    suggestions: ['go on without a check with --memory-check warn'],
  };
}

function chooseAccelerator({ gpu, accelerator }: Flags): Accelerator {
  if (gpu === true && accelerator === 'cpu') {
    throw new UsageError('CONTRADICTION', '--gpu and --accelerator cpu contradict each other: leave one out');
  }
  if (accelerator !== undefined) return accelerator;
  const here = defaultAccelerator();
  return gpu === true && here === 'cpu' ? 'cuda' : here;
}
