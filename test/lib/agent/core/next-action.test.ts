import { describe, expect, test } from '@jest/globals';
import { failedAgain } from '../../../../src/lib/agent/core/back-off.js';
import {
  claimAnnotations,
  claimOf,
  isClaimedBy,
  isClaimedByOther,
  SeenHeartbeats,
} from '../../../../src/lib/agent/core/claims.js';
import { desiredOf, type Known } from '../../../../src/lib/agent/core/desired.js';
import { nextAction, type Observed } from '../../../../src/lib/agent/core/next-action.js';
import type { InferenceServiceResource, ModelResource } from '../../../../src/lib/kube/client/api.js';
import { aModel, aService } from '../objects.js';

const MAC = { id: 'mac-1', accelerator: 'metal' } as const;
const there = <T>(object: T): Known<T> => ({ kind: 'there', object });
const UNKNOWN = { kind: 'unknown' } as const;
const GONE = { kind: 'gone' } as const;
const nothing: Observed = { claim: 'ours', process: undefined, busy: undefined, failures: undefined, traces: true };
const running: Observed = { ...nothing, process: { fingerprint: 'a', state: 'ready' } };
const wanted = desiredOf(there(aService()), there(aModel()), MAC);
const step = (desired: ReturnType<typeof desiredOf>, observed: Observed, fingerprint: string | undefined = 'a') =>
  nextAction(desired, observed, fingerprint, 0).kind;

describe('what the cluster wants of this host', () => {
  test.each<[string, Known<InferenceServiceResource>]>([
    ['is deleted', GONE],
    ['is suspended', there(aService({ suspend: true }))],
    ['is scaled to zero', there(aService({ replicas: 0 }))],
    ['is for another agent', there(aService({}, { 'inference.llmkube.dev/agent': 'mac-2' }))],
    ['is for another runtime', there(aService({ runtime: 'vllm' }))],
  ])('a service that %s is stopped', (_what, service) => {
    expect(step(desiredOf(service, there(aModel()), MAC), running)).toBe('stop-process');
    expect(step(desiredOf(service, there(aModel()), MAC), nothing)).toBe('release');
  });

  test.each([
    ['the cluster does not answer', UNKNOWN, there(aModel())],
    ['its Model cannot be read', there(aService()), UNKNOWN],
    ['its Model is missing', there(aService()), GONE],
  ] as [string, Known<InferenceServiceResource>, Known<ModelResource>][])(
    'nothing is stopped and nothing started while %s',
    (_why, service, model) => {
      expect(step(desiredOf(service, model, MAC), running)).toBe('none');
      expect(step(desiredOf(service, model, MAC), nothing)).toBe('none');
    },
  );

  test('beside Macs nothing runs that does not name the agent', () => {
    const linux = { id: 'box', accelerator: 'cpu' } as const;
    const model = there(aModel({ accelerator: 'cpu' }));
    expect(desiredOf(there(aService()), model, linux).kind).toBe('stop');
    expect(desiredOf(there(aService({}, { 'inference.llmkube.dev/agent': 'box' })), model, linux).kind).toBe('run');
  });
});

describe('the next step', () => {
  test('is a claim, then a start', () => {
    expect(step(wanted, { ...nothing, claim: 'free' })).toBe('claim');
    expect(step(wanted, nothing)).toBe('start');
  });

  test('leaves another agent its service, and stops a process whose claim was lost', () => {
    expect(step(wanted, { ...nothing, claim: 'others', traces: false })).toBe('none');
    expect(step(wanted, { ...running, claim: 'others' })).toBe('stop-process');
  });

  test('is a check when another spec is wanted than runs, and a stop only once that has room', () => {
    expect(step(wanted, running)).toBe('none');
    expect(step(wanted, running, 'b')).toBe('rehearse');
    expect(step(wanted, { ...running, busy: { with: 'fetching', fingerprint: 'b' } }, 'b')).toBe('none');
    expect(step(wanted, { ...running, busy: { with: 'fetching', fingerprint: 'b' } }, 'c')).toBe('abandon');
    expect(step(wanted, { ...running, busy: { with: 'fetching', fingerprint: 'b' } }, 'a')).toBe('abandon');
    expect(step(wanted, { ...running, failures: { count: 0, retryAtMs: 9 } }, 'b')).toBe('wait');
    expect(step(wanted, { ...running, approved: 'b' }, 'b')).toBe('stop-process');
    expect(step(wanted, { ...running, approved: 'b' }, 'c')).toBe('rehearse');
  });

  test('is never a start while a process lives: a sick one, or one of which nothing is known, is stopped first', () => {
    expect(step(wanted, { ...running, process: { fingerprint: '', state: 'ready' } })).toBe('stop-process');
    expect(step(wanted, { ...running, process: { fingerprint: 'a', state: 'unhealthy' } })).toBe('stop-process');
    expect(step(wanted, { ...running, process: { fingerprint: 'a', state: 'stopping' } }, 'b')).toBe('none');
  });

  test('gives up a download for a spec that has changed', () => {
    const fetching: Observed = { ...nothing, busy: { with: 'fetching', fingerprint: 'a' } };
    expect(step(wanted, fetching)).toBe('none');
    expect(step(wanted, fetching, 'b')).toBe('abandon');
    expect(step(desiredOf(GONE, GONE, MAC), fetching)).toBe('abandon');
  });

  test('waits 10 s, 20 s and so on to 5 min after failures', () => {
    let failures = failedAgain(undefined, 0);
    const waits = [failures.retryAtMs];
    for (let at = 0; at < 6; at += 1) waits.push((failures = failedAgain(failures, 0)).retryAtMs);
    expect(waits).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
    expect(nextAction(wanted, { ...nothing, failures }, 'a', 299_999)).toEqual({ kind: 'wait', untilMs: 300_000 });
    expect(nextAction(wanted, { ...nothing, failures }, 'a', 300_000)).toEqual({ kind: 'start' });
  });
});

describe('a claim', () => {
  const others = aService(
    {},
    { 'inference.llmkube.dev/claimed-by': 'mac-2', 'inference.llmkube.dev/claim-heartbeat': 'x' },
  );

  test('is free, ours, or another’s', () => {
    expect(claimOf(aService(), 'mac-1', 0, 0, 1e9)).toBe('free');
    expect(claimOf(others, 'mac-2', 0, 0, 1e9)).toBe('ours');
    expect(claimOf(others, 'mac-1', 0, 0, 180_000)).toBe('others');
  });

  test('goes stale when its heartbeat has not moved for three minutes in which the cluster answered', () => {
    expect(claimOf(others, 'mac-1', 0, 0, 180_001)).toBe('free');
    expect(claimOf(others, 'mac-1', 0, 100_000, 180_001)).toBe('others');
    const seen = new SeenHeartbeats();
    expect([seen.since('k', others, 5), seen.since('k', others, 9)]).toEqual([5, 5]);
    const moved = aService({}, { ...others.metadata.annotations, 'inference.llmkube.dev/claim-heartbeat': 'y' });
    expect(seen.since('k', moved, 9)).toBe(9);
  });

  test('is forgotten with its service only', () => {
    const seen = new SeenHeartbeats();
    for (const key of ['gone', 'there']) seen.since(key, others, 5);
    seen.keepOnly(new Set(['there']));
    expect([seen.since('gone', others, 9), seen.since('there', others, 9)]).toEqual([9, 5]);
  });

  test('names the agent and the time, and is nobody’s without a name', () => {
    const written = claimAnnotations('mac-2', new Date('2026-01-02T03:04:05.678Z'));
    expect(written).toEqual({
      'inference.llmkube.dev/claimed-by': 'mac-2',
      'inference.llmkube.dev/claim-heartbeat': '2026-01-02T03:04:05.678Z',
    });
    const [unclaimed, claimed] = [aService(), aService({}, written)];
    expect([isClaimedBy(claimed, 'mac-2'), isClaimedBy(claimed, 'mac-1'), isClaimedBy(unclaimed, 'mac-1')]).toEqual([
      ...[true, false, false],
    ]);
    expect(['mac-2', 'mac-1'].map((id) => isClaimedByOther(claimed, id))).toEqual([false, true]);
    expect(isClaimedByOther(unclaimed, 'mac-1')).toBe(false);
  });
});

describe('a service', () => {
  const kind = (service: InferenceServiceResource, agent: Parameters<typeof desiredOf>[2] = MAC, model = aModel()) => {
    const desired = desiredOf(there(service), there(model), agent);
    return desired.kind === 'stop' ? desired.why : desired.kind;
  };

  test('of any spelling of llama-server’s runtime is run', () => {
    const of = (runtime: string | undefined) =>
      kind({ ...aService(), spec: { ...aService().spec, runtime: runtime as 'vllm' } });
    expect([undefined, '', 'llamacpp'].map(of)).toEqual(['run', 'run', 'run']);
    expect(['vllm', 'generic', 'llamacpp-router'].map(of)).toEqual(['not-ours', 'not-ours', 'not-ours']);
  });

  test('that is being deleted is stopped as if it were gone, whoever it is for', () => {
    const service = aService({ suspend: true });
    expect(kind({ ...service, metadata: { ...service.metadata, deletionTimestamp: '2026-01-02T03:04:05Z' } })).toBe(
      'deleted',
    );
  });

  test('is taken only by name where names are listed, and with an accelerator that is this host’s', () => {
    expect(kind(aService(), { ...MAC, allowlist: ['tiny'] })).toBe('run');
    expect(kind(aService(), { ...MAC, allowlist: ['other'] })).toBe('not-ours');
    expect(kind(aService(), MAC, aModel({ accelerator: 'cuda' }))).toBe('not-ours');
    expect(kind(aService({}, { 'inference.llmkube.dev/agent': 'mac-1' }), MAC, aModel({ accelerator: 'cuda' }))).toBe(
      'run',
    );
  });

  test('says why it stops: suspended, or scaled to zero', () => {
    expect([
      kind(aService({ suspend: true })),
      kind(aService({ replicas: 0 })),
      kind(aService({ replicas: 1 })),
    ]).toEqual([...['suspended', 'scaled-to-zero', 'run']]);
  });

  test('whose Model is missing is a problem to be told of where it is surely this agent’s, named or claimed', () => {
    const problem = (annotations: Record<string, string>) => {
      const desired = desiredOf(there(aService({}, annotations)), GONE, MAC);
      return desired.kind === 'unknown' ? desired.problem?.text : desired;
    };
    const missing = 'there is no Model "tiny" in default';
    expect(problem({ 'inference.llmkube.dev/agent': 'mac-1' })).toBe(missing);
    expect(problem({ 'inference.llmkube.dev/claimed-by': 'mac-1' })).toBe(missing);
    expect(problem({ 'inference.llmkube.dev/claimed-by': 'mac-2' })).toBeUndefined();
    expect(problem({})).toBeUndefined();
  });
});
