import { createHash } from 'node:crypto';
import { CheckIncompleteError, ClusterError } from '../../errors.js';
import type { Kind } from '../client/api.js';
import { applyResources, type Applied, type ApplyOutcome } from './apply.js';
import { connect, type KubeClient } from '../client/client.js';
import type { DeployPlan } from './deploy-plan.js';
import { describeEndpoint, type Endpoint } from './endpoint.js';
import type { ClusterChoice } from '../client/kubeconfig.js';
import { UnknownFieldError } from '../client/status-errors.js';
import { foreignFields } from './foreign-fields.js';
import { rehearse, type RehearsedResources } from './rehearse.js';
import { buildResources, type DeployResources } from '../resources.js';
import type { WaitEvent } from './told-changes.js';
import { waitUntilReady } from './wait.js';

const MEMORY_LIMIT_FIELD = 'spec.resources.memoryLimit';

export interface DeployOptions extends ClusterChoice {
  /** `server`: the cluster checks and answers, and keeps nothing. */
  readonly dryRun?: 'none' | 'server';
  readonly forceConflicts?: boolean;
  /** Refuse unless the operator has fetched this source before. */
  readonly fromCache?: boolean;
  /** The user did not name the namespace, so one that the kubeconfig names may be meant. */
  readonly namespaceIsDefault?: boolean;
  readonly wait: boolean;
  readonly timeoutMs: number;
  /** See `WaitOptions`. */
  readonly settleMs?: number | undefined;
  readonly retryMs?: number | undefined;
  /** For one call to the API server, in milliseconds. */
  readonly callTimeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: DeployEvent) => void) | undefined;
}

export interface AppliedEvent {
  readonly type: 'applied';
  readonly kind: Kind;
  readonly name: string;
  readonly namespace: string;
  readonly outcome: ApplyOutcome;
}

export type DeployEvent = AppliedEvent | WaitEvent;

export interface DeployOutcome {
  readonly state: 'ready' | 'stopped' | 'applied' | 'interrupted' | 'dry-run';
  readonly applied: readonly AppliedEvent[];
  /** As the cluster has them now, or would have them. */
  readonly resources: DeployResources;
  /** Only of a service that is ready. */
  readonly endpoint?: Endpoint;
}

/**
 * Creates or updates the two resources of a plan and waits until the service answers. Nothing is sent before the whole
 * plan has been held against the API's bounds, and nothing is changed before the cluster's dry run of both is what was
 * checked.
 * @throws UsageError, ClusterError, CheckIncompleteError FOREIGN_LAUNCH_FIELDS when what others set changes what was
 * checked, and InsufficientMemoryError when the machine itself refuses
 */
export async function deployToCluster(plan: DeployPlan, options: DeployOptions): Promise<DeployOutcome> {
  const secrets = (plan.env ?? []).map(({ value }) => value);
  const withoutCluster = 'print the manifests with --dry-run=client -o yaml';
  const client = await connect({ ...options, secrets, timeoutMs: options.callTimeoutMs, withoutCluster });
  noteOtherNamespace(client, plan, options);
  noteSplitModel(plan, options);
  if (options.fromCache) await requireCached(client, plan);
  const dryRun = options.dryRun === 'server';
  const applied: AppliedEvent[] = [];
  const forceConflicts = options.forceConflicts ?? false;
  const rehearsed = await rehearsePlan(client, plan, forceConflicts);
  refuseForeignFields(rehearsed, plan, options);
  const { model, service } = await applyResources(client, rehearsed, {
    dryRun,
    forceConflicts,
    onApplied: (each) => {
      const event = appliedEvent(each);
      applied.push(event);
      options.onEvent?.(event);
    },
  });
  const done = { applied, resources: { model: model.current, service: service.current } };
  if (dryRun) return { state: 'dry-run', ...done };
  if (!options.wait) return { state: 'applied', ...done };
  const before = { model: model.previous, service: service.previous };
  const { kind, state } = await waitUntilReady(client, plan, before, options);
  const now = { model: state.model ?? model.current, service: state.service ?? service.current };
  if (kind === 'interrupted') return { state: 'interrupted', applied, resources: now };
  if (now.service.status?.phase === 'Stopped') return { state: 'stopped', applied, resources: now };
  const endpoint = describeEndpoint(now.service, { ...options, metal: plan.launch.accelerator === 'metal' });
  return { state: 'ready', applied, resources: now, endpoint };
}

/** The agent on a Mac fetches the last part of the source's path, and nothing else. */
function noteSplitModel({ files = [], launch }: DeployPlan, { onEvent }: DeployOptions): void {
  if (launch.accelerator !== 'metal' || files.length < 2) return;
  const message = `this model has ${files.length} parts, and LLMKube's own agent on a Mac (0.10) fetches one file only: join them with llama-gguf-split --merge, or put them into its model store`;
  onEvent?.({ type: 'note', message });
}

/** With `memoryLimit` where the cluster knows it, which its own answer tells. */
async function rehearsePlan(client: KubeClient, plan: DeployPlan, force: boolean): Promise<RehearsedResources> {
  const withLimit = buildResources(plan, true);
  try {
    return await rehearse(client, withLimit, { force });
  } catch (error) {
    const isTooNew = error instanceof UnknownFieldError && error.field === MEMORY_LIMIT_FIELD;
    if (!isTooNew || withLimit.service.spec.resources?.memoryLimit === undefined) throw error;
    return rehearse(client, buildResources(plan, false), { force });
  }
}

/** The check holds for what was sent; others' fields that decide what llama-server allocates make another launch of it. */
function refuseForeignFields(
  { model, service }: RehearsedResources,
  { check }: DeployPlan,
  options: DeployOptions,
): void {
  const foreign = [model, service].flatMap(({ resource, merged }) => foreignFields(resource, merged));
  if (foreign.length === 0) return;
  const list = foreign.map(
    ({ kind, field, value, owner }) => `${kind} ${field} = ${JSON.stringify(value)} (set by ${owner})`,
  );
  const message = `what would run is not what was checked: ${list.join(', ')}`;
  if (check.mode !== 'enforce') return options.onEvent?.({ type: 'note', message });
  const { namespace, name } = service.resource.metadata;
  throw new CheckIncompleteError('FOREIGN_LAUNCH_FIELDS', message, {
    suggestions: [
      'give the same values as flags, so that they are checked',
      `or take these fields out: kubectl edit isvc -n ${namespace} ${name}`,
    ],
  });
}

function noteOtherNamespace({ contextNamespace }: KubeClient, { namespace }: DeployPlan, options: DeployOptions): void {
  if (!options.namespaceIsDefault || contextNamespace === undefined || contextNamespace === namespace) return;
  const message = `deploying to namespace ${namespace}; your kubeconfig names ${contextNamespace}, which -n ${contextNamespace} would choose`;
  options.onEvent?.({ type: 'note', message });
}

function appliedEvent({ kind, outcome, current }: Applied): AppliedEvent {
  const { name, namespace } = current.metadata;
  return { type: 'applied', kind, name, namespace, outcome };
}

/** The operator keeps a source under the first 16 digits of its SHA-256. */
function cacheKey(source: string): string {
  return createHash('sha256').update(source).digest('hex').slice(0, 16);
}

async function requireCached(client: KubeClient, { source, namespace }: DeployPlan): Promise<void> {
  const models = await client.list('Model', namespace);
  if (models.some(({ spec, status }) => spec.source === source && status?.phase === 'Ready')) return;
  throw new ClusterError(
    'MODEL_NOT_CACHED',
    `no Model in namespace ${namespace} has fetched this source, so it is not in the cache (key ${cacheKey(source)})`,
    {
      suggestions: ['deploy without --from-cache to download it'],
    },
  );
}
