import { CheckIncompleteError, type LlmkubeError, UsageError } from '../errors.js';
import { budgetNotes } from '../budget/budget-policy.js';
import { estimateLaunch, type LaunchFiles } from '../estimate/estimate-launch.js';
import type { GgufHeader } from '../gguf/header.js';
import type { HostMemory } from '../host/host-memory.js';
import type { MeasureHost } from '../host/measure-host.js';
import type { Program } from '../host/processes/programs.js';
import { describeModel } from '../model/describe-model.js';
import { withKvOverrides } from '../model/overridden-header.js';
import { lacksVocabulary, withoutVocabulary } from '../model/loading/vocabulary.js';
import { misnamedQuantization, publishedQuantization } from '../model/quantization/quantization.js';
import type { ModelShape } from '../model/model-shape.js';
import type { KvOverride } from '../runtime/options/kv-overrides.js';
import type { Accelerator, LaunchOptions } from '../runtime/launch-options.js';
import { pathRead, type HeaderOrigin, type ModelHeader } from '../source/model-header.js';
import type { Advice } from './advice/advice.js';
import { headline } from './advice/headline.js';
import type { Room } from './advice/trials.js';
import { typedChanges, typedSizes } from './advice/typed-changes.js';
import { readNamedFiles } from './beside/beside-files.js';
import { findProjector, type ProjectorReading } from './beside/beside.js';
import type { DraftListing } from './beside/find-draft.js';
import { growthRemedy } from './judge/growth-remedy.js';
import { isDiscrete, judge, limitsOf } from './judge/judge.js';
import { onMachine } from './judge/on-machine.js';
import { sizedOrRemedied } from './judge/graph-remedy.js';
import { judgeLaunch, sizeLaunch, type SizedLaunch } from './judge/judge-launch.js';
import { launchNotes } from './launch-notes.js';
import type { CompleteCheck, Findings, IncompleteCheck, MemoryCheck, PlannedCheck } from './memory-check.js';
import { type CheckRequest, planCheck, type PlanDependencies } from './plan-check.js';
import type { ResolvedModel } from './resolve-model.js';
import { choiceNotes, namedBeside, namedLaunch } from './server-choice.js';
import { sharedMemoryNote } from './judge/shared-memory.js';
import { tightness } from './judge/tightness.js';
import { requireMatchingProjector } from './matching-files.js';
import type { CompletedVerdict, UnknownVerdict } from './judge/verdict.js';

/** Everything outside that a check needs. */
export interface CheckDependencies extends PlanDependencies {
  /** @throws CheckIncompleteError when no header can be had */
  readonly readHeader: (model: ResolvedModel) => Promise<ModelHeader>;
  readonly measureHost: MeasureHost;
  /** Asked for the projector that llama-server finds beside a model of the hub. */
  readonly findProjector?: ProjectorReading['findProjector'];
  /** Asked for the draft that llama-server takes from a repository by its name. */
  readonly findDraft?: DraftListing['findDraft'];
  /** Asked which programs hold most, when others would have to give up memory on the machine that was measured. */
  readonly largestPrograms?: () => Promise<readonly Program[]>;
  /** Asked what keeps a launch that grows within its budget; `growthRemedy` unless nobody is told. */
  readonly remedy?: typeof growthRemedy;
  /** Asked what would fit, when a check refuses. */
  readonly advise?: (refused: RefusedCheck) => Promise<readonly Advice[]>;
}

/** A launch that does not fit, and everything that was found out about it. */
export interface RefusedCheck {
  readonly resolved: ResolvedModel;
  readonly origin: HeaderOrigin;
  readonly shape: ModelShape;
  readonly launch: LaunchOptions;
  readonly extraWords: readonly string[];
  readonly overrides: readonly KvOverride[];
  readonly room: Room;
  /** What `launch` takes, or where it names what llama-server chooses, the launch that was chosen. */
  readonly sized?: Pick<CompleteCheck, 'launch' | 'estimate'>;
  /** Where the draft was read. */
  readonly draftSource?: string | undefined;
}

const WITHOUT_VOCABULARY =
  'the file has no tokenizer (tokenizer.ggml.model), and llama-server loads no model without: this is the answer for the same file with one';
/** Where nothing was searched for, or something is not counted. */
const UNADVISED = 'use a smaller context, a smaller model or a larger machine';

/**
 * Whether a model fits: find it, read its header, estimate, measure, judge. What keeps the check from being completed
 * is a verdict, `unknown`, not an error.
 * @throws UsageError for a model, a catalogue or an option that is not understood
 */
export async function checkMemory(request: CheckRequest, dependencies: CheckDependencies): Promise<MemoryCheck> {
  const plan = await planCheck(request, dependencies);
  const { notes: asked = [] } = request;
  return orIncomplete({ notes: asked, ...plan }, async () => {
    const { header, notes, ...reading } = await dependencies.readHeader(plan.resolved);
    return checkModel({ ...plan, header: reading, notes: [...asked, ...notes] }, header, request, dependencies);
  });
}

/** A check under way, with what is to be noted of it so far. */
type UnderWay<Found extends keyof Findings = never> = PlannedCheck &
  Pick<Findings, Found> & { readonly notes: readonly string[] };

/** However far it got. */
type Reached = PlannedCheck & Partial<Findings> & { readonly notes: readonly string[] };

type ModelFiles = LaunchFiles & { readonly model: ModelShape };

/** What `proceed` makes of a check, or where it cannot be completed, how far it had got before. */
async function orIncomplete(reached: Reached, proceed: () => Promise<MemoryCheck>): Promise<MemoryCheck> {
  try {
    return await proceed();
  } catch (error) {
    if (error instanceof CheckIncompleteError) return incomplete(reached, error);
    if (error instanceof UsageError && reached.amongOthers) return incomplete(reached, error, { isRefused: true });
    throw error;
  }
}

function incomplete(
  reached: Reached,
  error: LlmkubeError,
  how: Pick<UnknownVerdict, 'isRefused'> = {},
): IncompleteCheck {
  const { notes } = reached;
  const verdict = { kind: 'unknown', code: error.code, reason: error.message, warnings: notes, ...how } as const;
  return { verdict, suggestions: error.options.suggestions ?? [], ...reached };
}

function checkModel(
  read: UnderWay<'header'>,
  header: GgufHeader,
  request: CheckRequest,
  dependencies: CheckDependencies,
): Promise<MemoryCheck> {
  return orIncomplete(read, () => {
    const described = describeModel(withKvOverrides(header, read.overrides));
    const path = pathRead(read.header, read.source);
    const quantization = publishedQuantization(described.quantization, path);
    const isProfile = read.header.origin !== 'bundled' && lacksVocabulary(described.keys);
    if (isProfile && request.isStarted === true) throw withoutVocabulary();
    const misnamed = misnamedQuantization(described.keys, path ?? read.source);
    const notes = [
      ...read.notes,
      ...(isProfile ? [WITHOUT_VOCABULARY] : []),
      ...(misnamed === undefined
        ? []
        : [`the file is named ${misnamed}, and its header says ${quantization}: what it holds counts`]),
    ];
    return checkBeside({ ...read, shape: { ...described, quantization }, notes }, request, dependencies);
  });
}

function checkBeside(
  described: UnderWay<'header' | 'shape'>,
  request: CheckRequest,
  dependencies: CheckDependencies,
): Promise<MemoryCheck> {
  return orIncomplete(described, async () => {
    const { projector, note } = await findProjector(described.resolved, described.launch, dependencies);
    const notes = note === undefined ? described.notes : [...described.notes, note];
    const found = { ...described, ...(projector && { projector }), notes };
    return orIncomplete(found, async () => {
      if (projector) requireMatchingProjector(found.shape, projector.shape);
      const { note: unlisted, specTypes, ...named } = await readNamedFiles(found.resolved, found.launch, dependencies);
      const said = specTypes && { specTypes };
      const launch = { ...found.launch, ...said };
      const asked = { ...found.asked, ...said };
      const all = unlisted === undefined ? notes : [...notes, unlisted];
      return checkOnMachine({ ...found, launch, asked, named, notes: all }, request, dependencies);
    });
  });
}

function checkOnMachine(
  read: UnderWay<'header' | 'shape' | 'projector' | 'named'>,
  request: CheckRequest,
  dependencies: CheckDependencies,
): Promise<MemoryCheck> {
  return orIncomplete(read, async () => {
    const { shape, projector, named } = read;
    const adapters = named.adapters.map((adapter) => adapter.shape);
    const beside = { projector: projector?.shape, draft: named.draft?.shape, adapters };
    const host = await measured(request, read.launch, dependencies);
    if (host instanceof CheckIncompleteError) return unmeasured(read, { ...beside, model: shape }, host);
    const draftReason = named.draft?.reason;
    return checkIn({ host, policy: request.policy, beside, draftReason }, read, request, dependencies);
  });
}

async function measured(
  { machine, policy }: CheckRequest,
  { accelerator, gpus }: LaunchOptions,
  { measureHost }: CheckDependencies,
): Promise<HostMemory | CheckIncompleteError> {
  try {
    return await measureHost({ ...machine, accelerator, gpus, budgetBytes: policy.absoluteBytes });
  } catch (error) {
    if (error instanceof CheckIncompleteError) return error;
    throw error;
  }
}

/** A machine that cannot be measured leaves an estimate of the launch as it was asked for. */
function unmeasured(
  read: UnderWay<'header' | 'shape'>,
  files: ModelFiles,
  error: CheckIncompleteError,
): IncompleteCheck {
  const estimate = estimateLaunch(files, read.launch);
  const notes = [...read.notes, ...launchNotes(read.shape, read.launch, estimate.resolved)];
  return incomplete({ ...read, estimate, notes }, error);
}

type Beside = Room & { readonly beside: Omit<LaunchFiles, 'model'> };

function checkIn(
  room: Beside,
  read: UnderWay<'header' | 'shape' | 'projector' | 'named'>,
  request: CheckRequest,
  dependencies: CheckDependencies,
): Promise<MemoryCheck> {
  const files = { ...room.beside, model: read.shape };
  const size = (launch: LaunchOptions): SizedLaunch => sizeLaunch(files, launch, room, request.namesLaunch);
  return orIncomplete({ ...read, room }, () =>
    checkSized({ ...read, ...sizedOrRemedied(read.asked, size), room }, request, dependencies),
  );
}

function checkSized(
  { notes, ...sized }: UnderWay<'header' | 'shape' | 'projector' | 'named' | 'estimate' | 'choice'> & { room: Beside },
  request: CheckRequest,
  dependencies: CheckDependencies,
): Promise<MemoryCheck> {
  const { room, launch, choice, estimate, shape, asked, remarks, extraWords } = sized;
  const files = { ...room.beside, model: shape };
  const here = onMachine(launch, room.host);
  const known = [...notes, ...launchNotes(shape, here, estimate.resolved), ...machineNotes(room)];
  return orIncomplete({ ...sized, notes: known }, async () => {
    const verdict = judge(estimate, limitsOf(estimate, launch.accelerator, room.host, room.policy));
    const tried = (wider: Partial<LaunchOptions>): CompletedVerdict =>
      judgeLaunch(files, { ...asked, ...wider }, room).verdict;
    const onHost = (host: HostMemory): CompletedVerdict =>
      judgeLaunch(files, asked, { ...room, host }, request.namesLaunch).verdict;
    const shared = sharedMemoryNote(verdict, room.host, onHost);
    const chosen = choice === undefined ? [] : choiceNotes(choice, verdict, tried);
    const noted = [...known, ...chosen, ...(shared === undefined ? [] : [shared])];
    const uncounted = uncountedRemark(remarks, launch.accelerator);
    if (verdict.kind !== 'does-not-fit' && uncounted !== undefined) {
      return incomplete({ ...sized, notes: noted }, notCounted(uncounted));
    }
    const warnings = [...noted, ...remarks.map(({ text }) => text), ...verdict.warnings];
    const { remedy: findRemedy = growthRemedy } = dependencies;
    const remedy = findRemedy(verdict, asked, (other) => judgeLaunch(files, other, room).verdict);
    const check = {
      ...sized,
      verdict: { ...verdict, warnings },
      suggestions: [],
      ...(remedy && { remedy: typedChanges(remedy, extraWords).flags }),
    };
    if (verdict.kind !== 'does-not-fit') return withPrograms(check, dependencies);
    return uncounted === undefined ? advised(check, dependencies) : { ...check, suggestions: [UNADVISED] };
  });
}

function machineNotes({ host, policy }: Room): readonly string[] {
  return [...host.notes, ...budgetNotes(host, policy)];
}

async function withPrograms(check: CompleteCheck, { largestPrograms }: CheckDependencies): Promise<CompleteCheck> {
  const isAsked = tightness(check.verdict.limits, check.estimate.growth).some(({ reason }) => reason === 'others');
  const programs = isAsked ? await largestPrograms?.() : undefined;
  return programs === undefined ? check : { ...check, programs };
}

async function advised(check: CompleteCheck, { advise }: CheckDependencies): Promise<CompleteCheck> {
  const { resolved, header, shape, extraWords, overrides, room, choice, asked } = check;
  const launch = choice === undefined ? asked : namedLaunch(asked, choice);
  const origin = header.origin;
  const draftSource = check.named.draft?.source;
  const sized = { launch: check.launch, estimate: check.estimate };
  const found = await advise?.({ resolved, origin, shape, launch, sized, extraWords, overrides, room, draftSource });
  if (found === undefined) return { ...check, suggestions: [UNADVISED] };
  const advice =
    choice === undefined
      ? found
      : found.map((one) => {
          const named = namedBeside(choice, one.changes);
          const { ctxSize: chosenContext } = named;
          const flags = [...one.flags, ...typedSizes(named, extraWords)];
          return { ...one, flags, ...(chosenContext !== undefined && { chosenContext }) };
        });
  return { ...check, suggestions: headline(advice, check.room.policy), advice };
}

/** A fit cannot be claimed while something that takes memory beside the model is not counted. */
function notCounted(remark: string): CheckIncompleteError {
  return new CheckIncompleteError('OPTION_NOT_COUNTED', remark, {
    suggestions: ['leave room for it yourself and go on with --memory-check warn'],
  });
}

/** Why a fit of the model alone is no fit, or undefined when it is. */
export function uncountedRemark(remarks: PlannedCheck['remarks'], accelerator: Accelerator): string | undefined {
  const uncounted = remarks.find(({ effect }) => effect === 'adds' || (effect === 'moves' && isDiscrete(accelerator)));
  return uncounted && `the model alone fits, but ${uncounted.text}`;
}
