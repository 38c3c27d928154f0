import { ClusterError } from '../../errors.js';
import type { AnyResource, Kind } from '../client/api.js';
import type { KubeClient } from '../client/client.js';
import { cleanLine } from '../client/clean-text.js';
import { follow } from '../client/follow.js';
import { SERVER_READY } from '../host-record.js';
import { explain, judge, type DeployState } from './deploy-state.js';
import { tellingChanges, type WaitEvent } from './told-changes.js';

export interface WaitOptions {
  readonly timeoutMs: number;
  /** Stops waiting; the deploy itself goes on. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: WaitEvent) => void) | undefined;
  /** How long a status that was there before counts as being about the old spec. */
  readonly settleMs?: number | undefined;
  readonly retryMs?: number | undefined;
}

export interface WaitResult {
  readonly kind: 'ready' | 'interrupted';
  readonly state: DeployState;
}

const DEFAULT_SETTLE_MS = 15_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const NOTHING_BEFORE: DeployState = { model: undefined, service: undefined };
const STATE_KEY = { Model: 'model', InferenceService: 'service' } as const;

/**
 * Follows the Model and the InferenceService until both are ready.
 * @param before the resources as they were before they were applied
 * @throws InsufficientMemoryError when the machine refused it, ClusterError when it failed, vanished or took too long
 */
export async function waitUntilReady(
  client: KubeClient,
  target: { readonly name: string; readonly namespace: string },
  before: DeployState,
  { timeoutMs, signal, onEvent, settleMs = DEFAULT_SETTLE_MS, retryMs }: WaitOptions,
): Promise<WaitResult> {
  const watching = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const tell = tellingChanges(onEvent);
  const report = phaseReporter(tell);
  const outage = new Outage(tell);
  let state: DeployState = NOTHING_BEFORE;
  let baseline = before;

  const waiting = new Promise<WaitResult>((resolve, reject) => {
    const decide = () => {
      const progress = judge(state, baseline, before);
      if (progress.kind === 'ready') resolve({ kind: 'ready', state });
      if (progress.kind === 'failed') reject(progress.error);
    };
    const followKind = async (kind: Kind) => {
      const onRetry = (error: ClusterError): void => outage.failed(error);
      const options = { signal: watching.signal, onRetry, ...(retryMs !== undefined && { retryMs }) };
      for await (const resource of follow(client, { kind, ...target }, options)) {
        outage.answered();
        if (resource === undefined) throw vanished(kind, target);
        state = { ...state, [STATE_KEY[kind]]: resource };
        report(resource);
        decide();
      }
    };
    const settle = () => {
      baseline = NOTHING_BEFORE;
      decide();
    };
    timers.push(setTimeout(settle, settleMs));
    timers.push(
      setTimeout(() => reject(timedOut(state, target, timeoutMs, outage)), Math.min(timeoutMs, LONGEST_TIMER_MS)),
    );
    const interrupt = () => resolve({ kind: 'interrupted', state });
    if (signal?.aborted) return interrupt();
    signal?.addEventListener('abort', interrupt, { once: true, signal: watching.signal });
    followKind('Model').catch(reject);
    followKind('InferenceService').catch(reject);
  });
  try {
    return await waiting;
  } finally {
    timers.forEach(clearTimeout);
    watching.abort();
  }
}

/** Passes on a change of phase, or of the sentence that explains it, once. */
function phaseReporter(tell: (event: WaitEvent) => void): (resource: AnyResource) => void {
  const seen = new Map<Kind, string>();
  return (resource) => {
    const { phase, message } = standing(resource);
    if (phase === undefined) return;
    const line = `${phase} ${message}`;
    if (seen.get(resource.kind) === line) return;
    seen.set(resource.kind, line);
    tell({ type: 'phase', kind: resource.kind, phase, message });
  };
}

/** Where no operator names a phase, how the agent's process is doing. */
function standing(resource: AnyResource): { readonly phase: string | undefined; readonly message: string } {
  const { status } = resource;
  if (status?.phase !== undefined) return { phase: status.phase, message: cleanLine(explain(resource)) };
  const server = status?.conditions?.find(({ type }) => type === SERVER_READY);
  return { phase: server?.reason, message: server?.status === 'True' ? '' : cleanLine(server?.message ?? '') };
}

/** A time in which the API server does not answer: said once, however often it is asked. */
class Outage {
  #since: Date | undefined;
  #error: ClusterError | undefined;

  constructor(private readonly tell: (event: WaitEvent) => void) {}

  failed(error: ClusterError): void {
    if (this.#since === undefined) this.tell({ type: 'retry', message: error.message });
    this.#since ??= new Date();
    this.#error = error;
  }

  answered(): void {
    this.#since = undefined;
    this.#error = undefined;
  }

  /** To be appended to what is being waited for; empty when the server answers. */
  sentence(): string {
    if (this.#since === undefined || this.#error === undefined) return '';
    return `; since ${this.#since.toISOString()} ${this.#error.message}`;
  }
}

/** At the end of the time, a failure that might have been about the old spec is the best answer there is. */
function timedOut(
  state: DeployState,
  { name, namespace }: { name: string; namespace: string },
  timeoutMs: number,
  outage: Outage,
): Error {
  const progress = judge(state, NOTHING_BEFORE);
  if (progress.kind === 'failed') return progress.error;
  const what = progress.kind === 'waiting' ? progress.for : 'the operator to take up the change';
  return new ClusterError(
    'WAIT_TIMEOUT',
    `${namespace}/${name} was not ready after ${seconds(timeoutMs)}; still waiting for ${what}${outage.sentence()}`,
    {
      suggestions: [`the deploy goes on: llmkube status ${name} -n ${namespace}`, 'wait longer with --timeout 30m'],
    },
  );
}

function vanished(kind: Kind, { name, namespace }: { name: string; namespace: string }): ClusterError {
  return new ClusterError('DELETED', `${kind} ${namespace}/${name} was deleted while waiting for it`);
}

function seconds(ms: number): string {
  return ms < 60_000 ? `${ms / 1000}s` : `${Math.round(ms / 6000) / 10}m`;
}
