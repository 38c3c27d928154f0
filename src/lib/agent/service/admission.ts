import { closeSync } from 'node:fs';
import { CheckIncompleteError, LlmkubeError } from '../../errors.js';
import type { MemoryEstimate } from '../../estimate/memory-estimate.js';
import { checkLaunch, type LaunchCheckRequest } from '../../guard/check-launch.js';
import { guardHere } from '../../guard/guard-machine.js';
import { guardedSpawn, type StartedProcess } from '../../guard/guarded-spawn.js';
import { refuseOptionFiles } from '../../guard/option-files.js';
import { besideLedger } from '../../guard/ledger/measure-beside-ledger.js';
import type { MeasureHost } from '../../host/measure-host.js';
import type { InferenceServiceResource, ModelResource } from '../../kube/client/api.js';
import type { ObjectCalls } from '../../kube/client/object-calls.js';
import { advise } from '../../preflight/advice/advise.js';
import { headline } from '../../preflight/advice/headline.js';
import { Trials, type Room } from '../../preflight/advice/trials.js';
import { typedChanges } from '../../preflight/advice/typed-changes.js';
import { type CompleteCheck, isComplete, type MemoryCheck } from '../../preflight/memory-check.js';
import type { Accelerator } from '../../runtime/launch-options.js';
import { optionVariables } from '../../runtime/server-command.js';
import { shown } from '../../printable.js';
import { formatModelSource } from '../../source/model-source.js';
import type { Mirror } from '../cluster/mirror.js';
import type { FitReport } from '../core/memory-fit.js';
import { memoryRules, type MemoryDefaults, type MemoryRules } from '../core/memory-rules.js';
import { leftVariables, reservedWord, serverWords, specType } from '../core/words-of-service.js';
import { draftModelKey } from '../core/wanted.js';
import { incompleteReport, refusalReport, verdictReport, withLeft } from '../core/condition-text.js';
import { reservePort } from '../machine/free-port.js';
import type { CurrentLlamaServer, LlamaServer } from '../machine/llama-server.js';
import { openLog } from '../machine/log-file.js';
import type { OwnServers } from '../machine/own-servers.js';
import { ledgerName, type ServerRecord, type ServerRecords } from '../machine/server-record.js';
import { modelSource } from '../store/model-files.js';
import { serviceEnvironment } from './service-environment.js';
import type { LocatedModel, ModelStore } from '../store/model-store.js';

/** What a start needs of this host. */
export interface AdmissionHost {
  readonly accelerator: Accelerator;
  readonly listenHost: string;
  readonly threads: number | undefined;
  readonly defaults: MemoryDefaults;
  readonly gpuMemoryBytes: number | undefined;
  readonly cacheDir: string;
  readonly stateFolder: string;
  readonly llamaServer: CurrentLlamaServer;
  readonly store: ModelStore;
  readonly records: ServerRecords;
  readonly ownServers: OwnServers;
  readonly measure: MeasureHost;
  readonly mirror: Pick<Mirror, 'model'>;
  readonly objects: Pick<ObjectCalls, 'get'>;
}

/** The same with the llama-server that one start is checked for and made with. */
type StartHost = AdmissionHost & { readonly server: LlamaServer; readonly variables: Variables };

/** Of the service, for its server. */
type Variables = Readonly<Record<string, string>>;

export type Admission =
  | {
      readonly kind: 'started';
      readonly report: FitReport;
      readonly started: StartedProcess;
      readonly record: ServerRecord;
      readonly check: CompleteCheck;
      readonly releasePort: () => void;
    }
  | { readonly kind: 'refused'; readonly report: FitReport };

type Rules = Extract<MemoryRules, { kind: 'rules' }>;

/**
 * Everything between the wish for a service and its process: the rules, the files, the check before a download, the check of the
 * very command line that is then run. What stands in the way is a report, not an error.
 */
export async function admit(
  key: string,
  service: InferenceServiceResource,
  model: ModelResource,
  fingerprint: string,
  given: AdmissionHost,
  signal: AbortSignal,
): Promise<Admission> {
  const { generation } = service.metadata;
  const rules = memoryRules(service, model, given.defaults);
  if (rules.kind === 'unreadable') {
    return { kind: 'refused', report: incompleteReport(rules.problem, [], generation) };
  }
  const reserved = reservedWord(service.spec.extraArgs);
  if (reserved !== undefined) {
    const problem = `extraArgs holds ${reserved}, which is the agent's to say`;
    return { kind: 'refused', report: incompleteReport(problem, ['remove it from extraArgs'], generation) };
  }
  try {
    const variables = await serviceEnvironment(service, given.objects);
    const host = { ...given, variables, server: await given.llamaServer.refresh() };
    const draftModel = draftModelOf(service, host);
    const own = await host.store.locate(model, signal, service.spec.speculativeDecoding?.draftModel);
    const draft = draftModel && (await host.store.locate(draftModel, signal));
    const located = draft ? withDraft(own, draft) : own;
    if (located.missing.length > 0) {
      const early = await checkBeforeDownload(service, model, located, rules, host);
      if (early !== undefined) return { kind: 'refused', report: early };
      await host.store.fetch(model, own, signal);
      if (draftModel && draft) await host.store.fetch(draftModel, draft, signal);
    }
    return await start(key, service, model, located, rules, fingerprint, host, signal);
  } catch (error) {
    if (!(error instanceof LlmkubeError)) throw error;
    const advice = error.options.suggestions ?? [];
    return { kind: 'refused', report: incompleteReport(error.message, advice, generation) };
  }
}

/** @throws CheckIncompleteError for a draft whose Model is not there, or that this llama-server cannot use */
function draftModelOf(service: InferenceServiceResource, { mirror, server }: StartHost): ModelResource | undefined {
  const { spec, metadata } = service;
  if (specType(spec) === undefined) return undefined;
  if (!server.options.has('--spec-type')) {
    throw new CheckIncompleteError('OPTION_UNKNOWN', 'this llama-server has no --spec-type', {
      suggestions: ['install a newer one, or remove speculativeDecoding from the service'],
    });
  }
  const key = draftModelKey(service);
  if (key === undefined) return undefined;
  const found = mirror.model(key);
  if (found.kind === 'there') return found.object;
  throw new CheckIncompleteError(
    'DRAFT_MODEL_MISSING',
    `there is no Model "${shown(spec.speculativeDecoding?.draftModelRef ?? '')}" in ${metadata.namespace} that could draft`,
    {
      suggestions: ['create it, or correct speculativeDecoding.draftModelRef'],
    },
  );
}

function withDraft(own: LocatedModel, draft: LocatedModel): LocatedModel {
  return {
    ...own,
    draftPath: draft.modelPath,
    remote: [...own.remote, ...draft.remote],
    missing: [...own.missing, ...draft.missing],
  };
}

/** So that 40 GB are not fetched for nothing; undefined when there is room now. */
async function checkBeforeDownload(
  service: InferenceServiceResource,
  model: ModelResource,
  located: LocatedModel,
  rules: Rules,
  host: StartHost,
): Promise<FitReport | undefined> {
  const words = wordsOf(service, model, located, host, 0);
  const [first] = located.remote;
  const { projectorPath, draftPath, remote } = located;
  const addressOf = (wanted: string | undefined) => remote.find(({ path }) => path === wanted)?.url.href;
  const source = modelSource(model);
  const elsewhere = {
    model: source.kind === 'hf' ? formatModelSource(source) : (first?.url.href ?? ''),
    mmproj: addressOf(projectorPath),
    draft: addressOf(draftPath),
  };
  const machine = await besideLedger(host.measure)(machineRequest(host, rules));
  const request = { ...checkRequest(words, host), elsewhere, reading: located.reading };
  const check = named(await checkLaunch(request, { host: machine, policy: rules.policy }), model);
  const { generation } = service.metadata;
  if (check.verdict.kind === 'unknown') return refusalReport(check, generation);
  return check.verdict.kind === 'does-not-fit' && rules.mode === 'enforce'
    ? refusalReport(check, generation)
    : undefined;
}

/** Memory enough for everything: what is asked is only what the launch takes. */
const BOUNDLESS: Room = {
  host: { source: 'given', totalBytes: Number.MAX_SAFE_INTEGER, inUseBytes: 0, notes: [] },
  policy: { absoluteBytes: Number.MAX_SAFE_INTEGER },
};

async function start(
  key: string,
  service: InferenceServiceResource,
  model: ModelResource,
  located: LocatedModel,
  rules: Rules,
  fingerprint: string,
  host: StartHost,
  signal: AbortSignal,
): Promise<Admission> {
  const { generation, uid = '' } = service.metadata;
  refuseOptionFiles(process.env);
  const { port, release } = await reservePort(host.listenHost);
  let keepsPort = false;
  try {
    const words = wordsOf(service, model, located, host, port);
    const check = named(await checkLaunch(checkRequest(words, host), BOUNDLESS), model);
    if (!isComplete(check)) {
      return { kind: 'refused', report: refusalReport(check, generation) };
    }
    if (signal.aborted) throw new CheckIncompleteError('INTERRUPTED', 'it is not wanted any more');
    const logFile = host.records.logFile(key);
    const record: ServerRecord = {
      ...{ key, uid, fingerprint, port, logFile },
      file: host.server.path,
      args: words,
      estimate: { parts: check.estimate.parts, growth: check.estimate.growth },
    };
    host.records.write(record);
    const outcome = await spawnGuarded(key, record, check.estimate, rules, host);
    const room = { host: outcome.host, policy: rules.policy };
    const judged = { ...check, verdict: outcome.verdict, room };
    if (outcome.kind === 'refused') {
      host.records.remove(key);
      return { kind: 'refused', report: refusalReport({ ...judged, suggestions: adviceOn(check, room) }, generation) };
    }
    const { pid, startedAt } = outcome.started.entry;
    const running = { ...record, process: { pid, startedAt } };
    host.records.writeRunning(running);
    keepsPort = true;
    const report = withLeft(verdictReport(judged, generation, rules.modeFrom), leftVariables(service.spec));
    return { kind: 'started', report, started: outcome.started, record: running, check: judged, releasePort: release };
  } finally {
    if (!keepsPort) release();
  }
}

async function spawnGuarded(
  key: string,
  { file, args, logFile }: ServerRecord,
  estimate: MemoryEstimate,
  rules: Rules,
  host: StartHost,
) {
  const log = openLog(logFile);
  try {
    const launch = {
      ...{ estimate, accelerator: host.accelerator, policy: rules.policy, who: ledgerName(key) },
      program: { file, args, stdio: ['ignore', log, log] as const, detached: true, env: serverEnvironment(key, host) },
      mark: host.ownServers.mark(key),
      evenIfTooLarge: rules.mode === 'warn',
    };
    return await guardedSpawn(launch, guardHere(machineRequest(host, rules), host.measure));
  } finally {
    closeSync(log);
  }
}

/** Without options of this process's own, which would change what was checked. */
function serverEnvironment(key: string, { ownServers, variables }: StartHost): NodeJS.ProcessEnv {
  const options = optionVariables(process.env);
  const kept = Object.entries(process.env).filter(([name]) => !Object.hasOwn(options, name));
  return { ...Object.fromEntries(kept), ...variables, ...ownServers.environment(key) };
}

function machineRequest({ accelerator, gpuMemoryBytes }: StartHost, { policy }: Rules) {
  return { accelerator, gpuMemoryBytes, budgetBytes: policy.absoluteBytes };
}

function wordsOf(
  service: InferenceServiceResource,
  model: ModelResource,
  { modelPath, projectorPath, draftPath }: LocatedModel,
  { listenHost, accelerator, threads, server }: StartHost,
  port: number,
): readonly string[] {
  const place = {
    modelPath,
    projectorPath,
    draftPath,
    alias: service.spec.modelRef,
    host: listenHost,
    port,
    accelerator,
    threads,
  };
  return serverWords(service.spec, model.spec, { ...place, known: server.options });
}

function checkRequest(
  words: readonly string[],
  { accelerator, cacheDir, stateFolder, server, variables }: StartHost,
): LaunchCheckRequest {
  return { words, env: variables, cwd: stateFolder, accelerator, cacheDir, llamaCpp: server.build };
}

/** What of the launch could be changed so that it fits; other quantizations are not looked for. */
function adviceOn({ shape, launch, extraWords }: CompleteCheck, room: Room): readonly string[] {
  const found = advise({ shape, launch, room, variants: [], trials: new Trials(room) });
  return headline(
    found.map((one) => ({ ...one, ...typedChanges(one.changes, extraWords) })),
    room.policy,
  );
}

/** Text for the cluster calls a model by the name that it has there. */
function named(check: MemoryCheck, { metadata }: ModelResource): MemoryCheck {
  return { ...check, model: metadata.name };
}
