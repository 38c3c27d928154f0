import type { BudgetPolicy } from '../budget/budget-policy.js';
import type { Catalog, CatalogEntry } from '../catalog/catalog.js';
import { CheckIncompleteError } from '../errors.js';
import { estimateLaunch, type LaunchFiles } from '../estimate/estimate-launch.js';
import type { MemoryEstimate } from '../estimate/memory-estimate.js';
import type { HostMemory } from '../host/host-memory.js';
import type { MachineRequest, MeasureHost } from '../host/measure-host.js';
import type { Program } from '../host/programs.js';
import { describeModel } from '../model/describe-model.js';
import { withKvOverrides } from '../model/kv-overrides.js';
import type { ModelShape } from '../model/model-shape.js';
import { combineLaunch, type CombinedLaunch } from '../runtime/combine-launch.js';
import type { KvOverride } from '../runtime/kv-overrides.js';
import { ALL_GPU_LAYERS, type Accelerator, type LaunchOptions } from '../runtime/launch-options.js';
import type { LaunchPatch } from '../runtime/server-options.js';
import type { HeaderOrigin, ModelHeader } from '../source/model-header.js';
import type { Advice } from './advice/advice.js';
import { type NamedFiles, readNamedFiles } from './beside-files.js';
import { findProjector, type LoadedProjector, type ProjectorReading } from './beside.js';
import { judgeLaunch, sizeLaunch } from './judge-launch.js';
import { isDiscrete, judge, limitsOf } from './judge.js';
import { launchNotes } from './launch-notes.js';
import { resolveModel, type ResolvedModel } from './resolve-model.js';
import { headline } from './advice/headline.js';
import type { Room } from './advice/trials.js';
import { choiceNotes, namedLaunch, namingFlags, type ServerChoice } from './server-choice.js';
import { sharedMemoryNote } from './shared-memory.js';
import { tightness } from './tightness.js';
import type { CompletedVerdict, Verdict } from './verdict.js';

/** What is to be checked. Whatever is left out is the catalogue's, llama-server's or this machine's. */
export interface CheckRequest {
  /** As the user typed it. */
  readonly model: string;
  readonly quantization?: string | undefined;
  /** Another file at the model's place, before any quantization. */
  readonly file?: string | undefined;
  readonly accelerator: Accelerator;
  /** Set where the CPU is known, such as this machine's. */
  readonly cpuArch?: 'arm' | 'x86' | undefined;
  readonly launch: LaunchPatch;
  readonly extraArgs: readonly string[];
  /** What llama-server reads in place of the header's values, where that is known from elsewhere. */
  readonly overrides?: readonly KvOverride[];
  readonly machine: Omit<MachineRequest, 'accelerator' | 'gpus' | 'budgetBytes'>;
  readonly policy: BudgetPolicy;
  /** Context and layers will be named to llama-server, so that it has nothing to choose. */
  readonly namesLaunch?: boolean;
}

/** Everything outside that a check needs. */
export interface CheckDependencies {
  readonly loadCatalog: () => Promise<Catalog>;
  /** @throws CheckIncompleteError when no header can be had */
  readonly readHeader: (model: ResolvedModel) => Promise<ModelHeader>;
  readonly measureHost: MeasureHost;
  /** Asked for the projector that llama-server finds beside a model of the hub. */
  readonly findProjector?: ProjectorReading['findProjector'];
  /** Asked which programs hold most, when others would have to give up memory on the machine that was measured. */
  readonly largestPrograms?: () => Promise<readonly Program[]>;
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
}

/** Where nothing was searched for, or something is not counted. */
const UNADVISED = 'use a smaller model or a larger machine';

/** What was found out, as far as the check got. */
export interface MemoryCheck {
  readonly model: string;
  readonly entry: CatalogEntry | undefined;
  readonly source: string;
  readonly launch: LaunchOptions;
  /** The launch before llama-server chose what was left open. */
  readonly asked: LaunchOptions;
  /** llama-server's own options that were given, one word each. */
  readonly extraWords: readonly string[];
  /** What `--override-kv` among them puts in place of the header's values. */
  readonly overrides: readonly KvOverride[];
  readonly header?: Pick<ModelHeader, 'origin' | 'derived' | 'file' | 'place'>;
  readonly shape?: ModelShape;
  /** What is loaded beside the model. */
  readonly projector?: LoadedProjector;
  readonly named?: NamedFiles;
  readonly estimate?: MemoryEstimate;
  readonly verdict: Verdict;
  /** Each completes "try to …". */
  readonly suggestions: readonly string[];
  /** What would fit instead, worked out for a refusal. */
  readonly advice?: readonly Advice[];
  /** Which programs hold most, where they would have to give up some. */
  readonly programs?: readonly Program[];
  /** The machine it was held against. */
  readonly room?: Room;
  readonly resolved?: ResolvedModel;
  /** What llama-server will choose where the launch leaves it open; `launch` has it. */
  readonly choice?: ServerChoice;
}

/** A request with the model found and the launch put together. */
interface CheckPlan extends CombinedLaunch {
  readonly resolved: ResolvedModel;
}

/** Nobody knows what will be sent: the worst counts. */
const ANY_MEDIA = { images: 'any', audioSeconds: 'any' } as const;

/** @throws UsageError for a model, a catalogue or an option that is not understood */
export async function planCheck(
  request: CheckRequest,
  { loadCatalog }: Pick<CheckDependencies, 'loadCatalog'>,
): Promise<CheckPlan> {
  const resolved = resolveModel(request.model, await loadCatalog(), request);
  const { accelerator, cpuArch, launch: flags, extraArgs } = request;
  const defaults = resolved.entry === undefined ? {} : catalogDefaults(resolved.entry);
  const combined = combineLaunch({ accelerator, cpuArch, defaults, flags, extraArgs });
  const withMedia = { ...ANY_MEDIA, ...combined.launch };
  return { resolved, ...combined, launch: withMedia, overrides: [...combined.overrides, ...(request.overrides ?? [])] };
}

/**
 * Whether a model fits: find it, read its header, estimate, measure, judge. What keeps the check from being completed
 * is a verdict, `unknown`, not an error.
 * @throws UsageError for a model, a catalogue or an option that is not understood
 */
export async function checkMemory(request: CheckRequest, dependencies: CheckDependencies): Promise<MemoryCheck> {
  const plan = await planCheck(request, dependencies);
  const { launch, extraWords, overrides, resolved } = plan;
  const findings: Findings = { notes: [] };
  const base = {
    model: request.model,
    entry: resolved.entry,
    source: resolved.source,
    launch,
    asked: launch,
    extraWords,
    overrides,
    resolved,
  };
  try {
    const verdict = await completeCheck(request, plan, dependencies, findings);
    const { notes, ...found } = findings;
    const completed = { ...base, ...found, verdict: { ...verdict, warnings: [...notes, ...verdict.warnings] } };
    if (found.shape === undefined || verdict.kind !== 'does-not-fit') {
      const programs = await programsToAsk(verdict, dependencies);
      return { ...completed, suggestions: [], ...(programs && { programs }) };
    }
    const advice = await adviceOn(plan, found, dependencies);
    return advice === undefined
      ? { ...completed, suggestions: [UNADVISED] }
      : { ...completed, suggestions: headline(advice), advice };
  } catch (error) {
    if (!(error instanceof CheckIncompleteError)) throw error;
    const { notes, ...found } = findings;
    const verdict = { kind: 'unknown', code: error.code, reason: error.message, warnings: notes } as const;
    return { ...base, ...found, verdict, suggestions: error.options.suggestions ?? [] };
  }
}

/**
 * A check that is left out: what it would have been about, as `unknown`. Nothing is read or measured.
 * @throws UsageError for a model, a catalogue or an option that is not understood
 */
export async function skippedCheck(
  request: CheckRequest,
  dependencies: Pick<CheckDependencies, 'loadCatalog'>,
): Promise<MemoryCheck> {
  const { resolved, launch, extraWords, overrides } = await planCheck(request, dependencies);
  const verdict = {
    kind: 'unknown',
    code: 'CHECK_SKIPPED',
    reason: 'the memory was not checked',
    warnings: [],
  } as const;
  const { entry, source } = resolved;
  const plan = { launch, asked: launch, extraWords, overrides };
  return { model: request.model, entry, source, ...plan, resolved, verdict, suggestions: [] };
}

/** Filled in on the way, so that an incomplete check still tells how far it got. */
type Findings = {
  -readonly [
    K in 'header' | 'shape' | 'projector' | 'named' | 'estimate' | 'room' | 'launch' | 'choice'
  ]?: MemoryCheck[K];
} & {
  notes: string[];
};

async function completeCheck(
  request: CheckRequest,
  plan: CheckPlan,
  dependencies: CheckDependencies,
  findings: Findings,
): Promise<Exclude<Verdict, { kind: 'unknown' }>> {
  const { launch } = plan;
  const { header, notes, ...reading } = await dependencies.readHeader(plan.resolved);
  findings.header = reading;
  findings.notes.push(...notes);
  findings.shape = describeModel(withKvOverrides(header, plan.overrides));
  const { projector, note } = await findProjector(plan.resolved, launch, dependencies);
  if (projector) findings.projector = projector;
  if (note !== undefined) findings.notes.push(note);
  findings.named = await readNamedFiles(launch, dependencies);
  const { draft, adapters } = findings.named;
  const beside = { projector: projector?.shape, draft: draft?.shape, adapters: adapters.map(({ shape }) => shape) };
  const files = { ...beside, model: findings.shape };
  const host = await measured(request, files, launch, dependencies, findings);
  const room = { host, policy: request.policy, beside };
  const { choice, estimate, launch: made } = sizeLaunch(files, launch, room, request.namesLaunch);
  Object.assign(findings, { room, estimate, launch: made, ...(choice && { choice }) });
  findings.notes.push(...launchNotes(files.model, made, estimate.resolved), ...host.notes);
  const verdict = judge(estimate, limitsOf(estimate, launch.accelerator, host, request.policy));
  if (choice) {
    const judgeWith = (wider: Partial<LaunchOptions>) => judgeLaunch(files, { ...launch, ...wider }, room).verdict;
    findings.notes.push(...choiceNotes(choice, verdict, judgeWith));
  }
  const onHost = (other: HostMemory) =>
    judgeLaunch(files, launch, { ...room, host: other }, request.namesLaunch).verdict;
  const shared = sharedMemoryNote(verdict, host, onHost);
  if (shared !== undefined) findings.notes.push(shared);
  if (verdict.kind !== 'does-not-fit') refuseUncounted(plan);
  findings.notes.push(...plan.remarks.map(({ text }) => text));
  return verdict;
}

/** A machine that cannot be measured leaves an estimate of the launch as it was asked for. */
async function measured(
  { machine, policy }: CheckRequest,
  files: LaunchFiles & { readonly model: ModelShape },
  launch: LaunchOptions,
  { measureHost }: CheckDependencies,
  findings: Findings,
): Promise<HostMemory> {
  try {
    const { accelerator, gpus } = launch;
    return await measureHost({ ...machine, accelerator, gpus, budgetBytes: policy.absoluteBytes });
  } catch (error) {
    if (!(error instanceof CheckIncompleteError)) throw error;
    findings.estimate = estimateLaunch(files, launch);
    findings.notes.push(...launchNotes(files.model, launch, findings.estimate.resolved));
    throw error;
  }
}

async function programsToAsk(
  { limits, estimate }: CompletedVerdict,
  { largestPrograms }: CheckDependencies,
): Promise<readonly Program[] | undefined> {
  const isAsked = tightness(limits, estimate.growth).some(({ reason }) => reason === 'others');
  return isAsked ? largestPrograms?.() : undefined;
}

async function adviceOn(
  plan: CheckPlan,
  { header, shape, room, choice }: Omit<Findings, 'notes'>,
  { advise }: CheckDependencies,
): Promise<readonly Advice[] | undefined> {
  if (!advise || !header || !shape || !room || uncountedRemark(plan.remarks, plan.launch.accelerator) !== undefined)
    return undefined;
  const { resolved, extraWords, overrides } = plan;
  const launch = choice === undefined ? plan.launch : namedLaunch(plan.launch, choice);
  const advice = await advise({ resolved, origin: header.origin, shape, launch, extraWords, overrides, room });
  return choice === undefined
    ? advice
    : advice.map((one) => ({ ...one, flags: [...one.flags, ...namingFlags(choice, one.flags)] }));
}

/** A fit cannot be claimed while something that takes memory beside the model is not counted. */
function refuseUncounted({ remarks, launch }: CheckPlan): void {
  const uncounted = uncountedRemark(remarks, launch.accelerator);
  if (uncounted === undefined) return;
  throw new CheckIncompleteError('OPTION_NOT_COUNTED', uncounted, {
    suggestions: ['leave room for it yourself and go on with --memory-check warn'],
  });
}

/** Why a fit of the model alone is no fit, or undefined when it is. */
export function uncountedRemark(remarks: CheckPlan['remarks'], accelerator: Accelerator): string | undefined {
  const uncounted = remarks.find(({ effect }) => effect === 'adds' || (effect === 'moves' && isDiscrete(accelerator)));
  return uncounted && `the model alone fits, but ${uncounted.text}`;
}

/** What an entry says about its launch. */
export function catalogDefaults({ contextSize, gpuLayers, mode }: CatalogEntry): LaunchPatch {
  return {
    ...(contextSize !== undefined && { ctxSize: contextSize }),
    gpuLayers: gpuLayers === undefined || gpuLayers < 0 ? ALL_GPU_LAYERS : gpuLayers,
    ...(mode !== undefined && mode !== 'chat' && { mode }),
  };
}
