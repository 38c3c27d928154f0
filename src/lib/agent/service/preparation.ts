import { CheckIncompleteError } from '../../errors.js';
import { checkLaunch, type LaunchCheckRequest } from '../../guard/check-launch.js';
import { besideLedger } from '../../guard/ledger/measure-beside-ledger.js';
import type { MeasureHost } from '../../host/measure-host.js';
import type { InferenceServiceResource, ModelResource } from '../../kube/client/api.js';
import type { ObjectCalls } from '../../kube/client/object-calls.js';
import type { MemoryCheck } from '../../preflight/memory-check.js';
import type { Accelerator } from '../../runtime/launch-options.js';
import { shown } from '../../printable.js';
import { formatModelSource } from '../../source/model-source.js';
import type { Mirror } from '../cluster/mirror.js';
import type { FitReport } from '../core/memory-fit.js';
import { machineRequest, memoryRules, type MemoryDefaults, type MemoryRules } from '../core/memory-rules.js';
import { reservedWord, serverWords, specType } from '../core/words-of-service.js';
import { draftModelKey, type Wanted } from '../core/wanted.js';
import { incompleteReport, refusalReport } from '../core/condition-text.js';
import type { CurrentLlamaServer, LlamaServer } from '../machine/llama-server.js';
import type { OwnServers } from '../machine/own-servers.js';
import type { ServerRecords } from '../machine/server-record.js';
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
export type StartHost = AdmissionHost & { readonly server: LlamaServer; readonly variables: Variables };

/** Of the service, for its server. */
type Variables = Readonly<Record<string, string>>;

export type Rules = Extract<MemoryRules, { kind: 'rules' }>;

type Asked = Pick<Wanted, 'service' | 'model'>;

/** How much memory a service may use; what stands in the way of that is a report. */
export function requireRules(
  { service, model }: Asked,
  { defaults }: Pick<AdmissionHost, 'defaults'>,
): Rules | FitReport {
  const { generation } = service.metadata;
  const rules = memoryRules(service, model, defaults);
  if (rules.kind === 'unreadable') return incompleteReport(rules.problem, [], generation);
  const reserved = reservedWord(service.spec.extraArgs);
  if (reserved === undefined) return rules;
  const problem = `extraArgs holds ${reserved}, which is the agent's to say`;
  return incompleteReport(problem, ['remove it from extraArgs'], generation);
}

/** The llama-server of this moment, and what the service adds to its environment. */
export async function startHost(service: InferenceServiceResource, given: AdmissionHost): Promise<StartHost> {
  const variables = await serviceEnvironment(service, given.objects);
  return { ...given, variables, server: await given.llamaServer.refresh() };
}

/** Where the files of a service are, or will be: its Model's own, its draft's, and both together. */
interface ServiceFiles {
  readonly own: LocatedModel;
  readonly draft: { readonly model: ModelResource; readonly files: LocatedModel } | undefined;
  readonly located: LocatedModel;
}

export async function locateFiles(
  { service, model }: Asked,
  host: StartHost,
  signal: AbortSignal,
): Promise<ServiceFiles> {
  const draftModel = draftModelOf(service, host);
  const own = await host.store.locate(model, signal, service.spec.speculativeDecoding?.draftModel);
  if (draftModel === undefined) return { own, draft: undefined, located: own };
  const files = await host.store.locate(draftModel, signal);
  return { own, draft: { model: draftModel, files }, located: withDraft(own, files) };
}

export async function fetchFiles(
  { own, draft }: ServiceFiles,
  model: ModelResource,
  { store }: StartHost,
  signal: AbortSignal,
): Promise<void> {
  await store.fetch(model, own, signal);
  if (draft) await store.fetch(draft.model, draft.files, signal);
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

/**
 * Before anything is fetched, so that it is not for nothing, or ended; undefined when there is room now.
 * @param leaving whose memory is taken to be free, in the ledger's words
 */
export async function checkNow(
  { service, model }: Asked,
  located: LocatedModel,
  rules: Rules,
  host: StartHost,
  leaving?: string,
): Promise<FitReport | undefined> {
  const words = wordsOf({ service, model }, located, host, 0);
  const [first] = located.remote;
  const { projectorPath, draftPath, remote } = located;
  const addressOf = (wanted: string | undefined) => remote.find(({ path }) => path === wanted)?.url.href;
  const source = modelSource(model);
  const elsewhere = {
    model: source.kind === 'hf' ? formatModelSource(source) : (first?.url.href ?? ''),
    mmproj: addressOf(projectorPath),
    draft: addressOf(draftPath),
  };
  const machine = await besideLedger(host.measure, { leaving })(machineRequest(host, rules.policy));
  const isHere = located.missing.length === 0;
  const request = { ...checkRequest(words, host), ...(!isHere && { elsewhere }), reading: located.reading };
  const check = named(await checkLaunch(request, { host: machine, policy: rules.policy }), model);
  const { generation } = service.metadata;
  if (check.verdict.kind === 'unknown') return refusalReport(check, generation);
  return check.verdict.kind === 'does-not-fit' && rules.mode === 'enforce'
    ? refusalReport(check, generation)
    : undefined;
}

export function wordsOf(
  { service, model }: Asked,
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

export function checkRequest(
  words: readonly string[],
  { accelerator, cacheDir, stateFolder, server, variables }: StartHost,
): LaunchCheckRequest {
  return { words, env: variables, cwd: stateFolder, accelerator, cacheDir, llamaCpp: server.build };
}

/** Text for the cluster calls a model by the name that it has there. */
export function named(check: MemoryCheck, { metadata }: ModelResource): MemoryCheck {
  return { ...check, model: metadata.name };
}
