import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { LlmkubeError } from '../../../src/lib/errors.js';
import { deployToCluster, type DeployOptions, type DeployOutcome } from '../../../src/lib/kube/deploy.js';
import type { DeployPlan } from '../../../src/lib/kube/deploy-plan.js';
import { eventLine } from '../../../src/lib/report/deploy-text.js';
import { planFor } from '../../support/deploy-plans.js';
import { operate, TO_READY } from '../../support/imitation-operator.js';
import { KubeApi } from '../../support/kube-api.js';
import { ApiFailure, type JsonObject } from '../../support/kube-types.js';
import { writeKubeconfig } from '../../support/kubeconfig-file.js';

jest.setTimeout(30_000);

const SERVICE = { plural: 'inferenceservices', namespace: 'default', name: 'tiny' };
const MODEL = { plural: 'models', namespace: 'default', name: 'tiny' };
const LONG_MS = 20_000;

describe('waiting for a deploy', () => {
  let api: KubeApi;
  let kubeconfig: string;
  let lines: string[];

  beforeEach(async () => {
    api = await KubeApi.start();
    kubeconfig = await writeKubeconfig({ double: { server: api.url } });
    lines = [];
  });
  afterEach(() => api.close());

  function deploy(options: Partial<DeployOptions> = {}, changes: Partial<DeployPlan> = {}): Promise<DeployOutcome> {
    return deployToCluster(planFor(changes), {
      kubeconfig,
      wait: true,
      timeoutMs: LONG_MS,
      retryMs: 10,
      onEvent: (event) => void lines.push(eventLine(event, false)),
      ...options,
    });
  }

  async function failure(deploying: Promise<DeployOutcome>): Promise<LlmkubeError> {
    return deploying.then(
      (outcome) => Promise.reject(new Error(`it ended as ${outcome.state}`)),
      (error: LlmkubeError) => error,
    );
  }

  const service = (status: JsonObject) => ({ kind: 'InferenceService', status }) as const;
  const model = (status: JsonObject) => ({ kind: 'Model', status }) as const;

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  test('follows both through their phases to Ready, and names the endpoint and a call to try', async () => {
    operate(api, TO_READY);
    const { state, endpoint } = await deploy();
    expect(state).toBe('ready');
    expect(lines.slice(0, 2)).toEqual([
      'model.inference.llmkube.dev/tiny created',
      'inferenceservice.inference.llmkube.dev/tiny created',
    ]);
    expect(lines.filter((line) => line.startsWith('Model:'))).toEqual(['Model: Downloading', 'Model: Ready']);
    expect(lines.filter((line) => line.startsWith('InferenceService:'))).toEqual([
      'InferenceService: Pending',
      'InferenceService: Creating',
      'InferenceService: Ready',
    ]);
    expect(endpoint?.url).toBe('http://tiny.default.svc:8080');
    expect(endpoint?.tryIt[0]).toBe(`kubectl --kubeconfig ${kubeconfig} port-forward -n default svc/tiny 8080:8080`);
    expect(endpoint?.tryIt[1]).toContain('curl http://localhost:8080/v1/chat/completions');
  });

  test('reads each resource once and then watches: it does not poll', async () => {
    operate(api, TO_READY);
    await deploy();
    const reads = api.requests.filter(({ method, query }) => method === 'GET' && !query.has('watch'));
    expect(reads.map(({ path }) => path.split('/').slice(-2).join('/'))).toEqual([
      ...['models/tiny', 'inferenceservices/tiny'],
      // Again for an operator that does not know resources.memoryLimit.
      ...['models/tiny', 'inferenceservices/tiny'],
      ...['models/tiny', 'inferenceservices/tiny'],
    ]);
    expect(api.requests.filter(({ query }) => query.has('watch'))).toHaveLength(2);
  });

  test('says why a phase lasts, and shows the progress of a download', async () => {
    const downloading = (message: string) =>
      model({
        phase: 'Downloading',
        conditions: [
          {
            type: 'Downloading',
            status: 'True',
            reason: 'Downloading',
            message,
            lastTransitionTime: '2026-01-01T00:00:00Z',
          },
        ],
      });
    operate(api, [downloading('20 of 100 MiB'), downloading('80 of 100 MiB'), ...TO_READY]);
    await deploy();
    expect(lines).toContain('Model: Downloading (20 of 100 MiB)');
    expect(lines).toContain('Model: Downloading (80 of 100 MiB)');
  });

  test('a refusal by the machine ends with its reason and exit code 1', async () => {
    operate(api, [
      service({
        phase: 'Pending',
        schedulingStatus: 'InsufficientMemory',
        schedulingMessage: 'needs 21 GiB of 18 GiB',
      }),
    ]);
    const error = await failure(deploy());
    expect([error.exitCode, error.code]).toEqual([1, 'INSUFFICIENT_MEMORY']);
    expect(error.message).toContain('needs 21 GiB of 18 GiB');
  });

  test('a condition says it as well as the status field does', async () => {
    const refusing = {
      type: 'Available',
      status: 'False',
      reason: 'InsufficientMemory',
      message: 'too big',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    operate(api, [service({ phase: 'Failed', conditions: [refusing] })]);
    expect((await failure(deploy())).exitCode).toBe(1);
  });

  test.each([
    [
      'a memory check that could not be completed',
      service({ phase: 'Pending', schedulingStatus: 'MemoryCheckFailed', schedulingMessage: 'size unknown' }),
      'MEMORY_CHECK_FAILED',
      'size unknown',
    ],
    [
      'a model that failed',
      model({
        phase: 'Failed',
        conditions: [
          {
            type: 'Available',
            status: 'False',
            reason: 'NotFound',
            message: 'HTTP 404',
            lastTransitionTime: '2026-01-01T00:00:00Z',
          },
        ],
      }),
      'MODEL_FAILED',
      'HTTP 404',
    ],
    [
      'a service that failed without a word',
      service({ phase: 'Failed' }),
      'SERVICE_FAILED',
      'the cluster gave no reason',
    ],
  ])('%s ends with the reason and exit code 4', async (_, step, code, reason) => {
    operate(api, [step]);
    const error = await failure(deploy());
    expect([error.exitCode, error.code]).toEqual([4, code]);
    expect(error.message).toContain(reason);
  });

  test('the end of the time says what it was waiting for', async () => {
    operate(api, [model({ phase: 'Downloading' })]);
    const error = await failure(deploy({ timeoutMs: 700 }));
    expect([error.exitCode, error.code]).toEqual([4, 'WAIT_TIMEOUT']);
    expect(error.message).toContain(
      'still waiting for Model Downloading, InferenceService not yet seen by the operator',
    );
  });

  test('a deletion ends it', async () => {
    const error = failure(deploy());
    await until(() => api.watches.size === 2);
    api.store.delete(SERVICE);
    expect((await error).code).toBe('DELETED');
  });

  test('Ctrl-C ends the waiting, not the deploy', async () => {
    const interrupt = new AbortController();
    const deploying = deploy({ signal: interrupt.signal });
    await until(() => api.watches.size === 2);
    interrupt.abort();
    expect((await deploying).state).toBe('interrupted');
    expect(api.store.get(SERVICE)).toBeDefined();
    await until(() => api.watches.size === 0);
  });

  test('without --wait nothing is watched', async () => {
    expect((await deploy({ wait: false })).state).toBe('applied');
    expect(api.requests.filter(({ query }) => query.has('watch'))).toEqual([]);
  });

  test('goes on after the connection of a watch breaks, from where it was', async () => {
    const deploying = deploy();
    await until(() => api.watches.size === 2);
    api.store.setStatus(MODEL, { phase: 'Downloading' });
    await until(() => lines.includes('Model: Downloading'));
    api.dropWatches();
    api.store.setStatus(MODEL, { phase: 'Ready' });
    api.store.setStatus(SERVICE, { phase: 'Ready' });
    expect((await deploying).state).toBe('ready');
    expect(lines.filter((line) => line === 'Model: Downloading')).toHaveLength(1);
  });

  test('goes on when the server ends a watch in good order', async () => {
    const deploying = deploy();
    await until(() => api.watches.size === 2);
    for (const watch of api.watches) watch.end();
    await until(() => api.requests.filter(({ query }) => query.has('watch')).length === 4);
    api.store.setStatus(MODEL, { phase: 'Ready' });
    api.store.setStatus(SERVICE, { phase: 'Ready' });
    expect((await deploying).state).toBe('ready');
  });

  test('reads anew after 410 Gone', async () => {
    const deploying = deploy();
    await until(() => api.watches.size === 2);
    api.dropWatches();
    await until(() => api.watches.size === 0);
    api.store.setStatus(MODEL, { phase: 'Ready' });
    api.store.setStatus(SERVICE, { phase: 'Ready' });
    api.store.compact();
    expect((await deploying).state).toBe('ready');
  });

  test('reads anew when a watch is answered with 410 outright', async () => {
    api.inject({ watch: true, failure: new ApiFailure(410, 'Expired', 'too old'), times: 2 });
    operate(api, TO_READY);
    expect((await deploy()).state).toBe('ready');
    expect(lines.filter((line) => line.includes('too old'))).toEqual([]);
  });

  test('a bookmark moves on the version that a later watch starts from', async () => {
    const deploying = deploy();
    await until(() => api.watches.size === 2);
    api.store.compact();
    for (const watch of api.watches) watch.bookmark();
    const version = String(api.store.version);
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const watch of api.watches) watch.end();
    await until(() => api.requests.filter(({ query }) => query.has('watch')).length === 4);
    const started = api.requests
      .filter(({ query }) => query.has('watch'))
      .map(({ query }) => query.get('resourceVersion'));
    expect(started.slice(2)).toEqual([version, version]);
    api.store.setStatus(MODEL, { phase: 'Ready' });
    api.store.setStatus(SERVICE, { phase: 'Ready' });
    await deploying;
  });

  test('a server that fails for a while is asked again, and that is said once', async () => {
    api.inject({ watch: true, failure: new ApiFailure(503, 'ServiceUnavailable', 'restarting'), times: 2 });
    operate(api, TO_READY);
    expect((await deploy()).state).toBe('ready');
    expect(lines.filter((line) => line.includes('restarting') && line.endsWith('trying again'))).toHaveLength(1);
  });

  test('missing permission to watch ends it at once', async () => {
    api.inject({ watch: true, failure: new ApiFailure(403, 'Forbidden', 'cannot watch') });
    expect((await failure(deploy())).code).toBe('FORBIDDEN');
  });

  describe('for a service that was there before', () => {
    beforeEach(async () => {
      await deploy({ wait: false });
      api.store.setStatus(MODEL, { phase: 'Ready' });
    });

    test('a failure of the old spec decides nothing', async () => {
      api.store.setStatus(SERVICE, {
        phase: 'Failed',
        schedulingStatus: 'InsufficientMemory',
        schedulingMessage: 'old',
      });
      const deploying = deploy({}, { launch: { accelerator: 'cpu', ctxSize: 2048 } });
      await until(() => api.watches.size === 2);
      api.store.setStatus(SERVICE, {
        phase: 'Creating',
        schedulingStatus: 'InsufficientMemory',
        schedulingMessage: 'old',
      });
      api.store.setStatus(SERVICE, { phase: 'Ready' });
      expect((await deploying).state).toBe('ready');
    });

    test('a Ready of the old spec is not the end', async () => {
      api.store.setStatus(SERVICE, { phase: 'Ready' });
      const deploying = deploy({}, { launch: { accelerator: 'cpu', ctxSize: 2048 } });
      await until(() => api.watches.size === 2);
      api.store.setStatus(SERVICE, { phase: 'Failed' });
      expect((await failure(deploying)).code).toBe('SERVICE_FAILED');
    });

    test('but what has not changed is ready at once', async () => {
      api.store.setStatus(SERVICE, { phase: 'Ready' });
      expect((await deploy()).state).toBe('ready');
    });

    test('a status that nobody renews counts after a while', async () => {
      api.store.setStatus(SERVICE, { phase: 'Ready' });
      const { state } = await deploy({ settleMs: 50 }, { launch: { accelerator: 'cpu', ctxSize: 2048 } });
      expect(state).toBe('ready');
    });

    test('a service without replicas is up when it has stopped', async () => {
      const deploying = deploy({}, { replicas: 0 });
      await until(() => api.watches.size === 2);
      api.store.setStatus(SERVICE, { phase: 'Stopped' });
      expect((await deploying).state).toBe('stopped');
    });

    test('a refusal of the old spec that the agent lets stand decides nothing before the end of the time', async () => {
      const old = { phase: 'Failed', schedulingStatus: 'InsufficientMemory', schedulingMessage: 'estimated 24.3 GB' };
      api.store.setStatus(SERVICE, old);
      const deploying = deploy({ settleMs: 20, timeoutMs: 700 }, { launch: { accelerator: 'cpu', ctxSize: 2048 } });
      await until(() => api.watches.size === 2);
      api.store.setStatus(SERVICE, { ...old, phase: 'Pending' });
      const error = await failure(deploying);
      expect([error.code, error.exitCode]).toEqual(['INSUFFICIENT_MEMORY', 1]);
      expect(lines.filter((line) => line.startsWith('InferenceService: Pending'))).toHaveLength(1);
    });

    test('the same refusal about the new spec, by its observedGeneration, decides at once', async () => {
      const condition = {
        type: 'MemoryFit',
        status: 'False',
        reason: 'InsufficientMemory',
        message: 'estimated 24.3 GB',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      };
      api.store.setStatus(SERVICE, { phase: 'Failed', conditions: [{ ...condition, observedGeneration: 1 }] });
      const deploying = deploy({}, { launch: { accelerator: 'cpu', ctxSize: 2048 } });
      await until(() => api.watches.size === 2);
      api.store.setStatus(SERVICE, { phase: 'Failed', conditions: [{ ...condition, observedGeneration: 2 }] });
      expect((await failure(deploying)).code).toBe('INSUFFICIENT_MEMORY');
    });

    test('one that is suspended is said to be, at once', async () => {
      api.store.patch(SERVICE, { spec: { suspend: true } }, 'kubectl-patch', { dryRun: false });
      const error = await failure(deploy());
      expect([error.code, error.exitCode]).toEqual(['SUSPENDED', 4]);
      expect(error.options.suggestions?.[0]).toContain('"suspend":false');
    });
  });

  test.each([
    'ModelDigestMismatch',
    'ExtraArgsRejected',
    'EndpointNameConflict',
    'ModelSourceNotAllowed',
    'ServiceNameTooLong',
    'RelaySecretNotManaged',
  ])('what waiting does not change ends it: %s', async (reason) => {
    operate(api, [service({ phase: 'Failed', schedulingStatus: reason, schedulingMessage: 'because of this' })]);
    const error = await failure(deploy());
    expect([error.code, error.exitCode]).toEqual(['DEPLOY_REFUSED', 4]);
    expect(error.message).toContain(`${reason}: default/tiny was refused by the cluster: because of this`);
  });

  test('what the operator let stand about scheduling is not said of a service that is ready', async () => {
    operate(api, [
      model({ phase: 'Ready' }),
      service({ phase: 'Ready', schedulingStatus: 'WaitingForMetalAgent', schedulingMessage: 'Waiting for the agent' }),
    ]);
    expect((await deploy()).state).toBe('ready');
    expect(lines).toContain('InferenceService: Ready');
  });

  test('a server that is away until the end is named there, with the time since when', async () => {
    const deploying = failure(deploy({ timeoutMs: 600 }));
    await until(() => api.watches.size === 2);
    api.inject({ path: /inference/, drop: true, times: 1000 });
    api.dropWatches();
    const error = await deploying;
    expect(error.code).toBe('WAIT_TIMEOUT');
    expect(error.message).toMatch(
      /; since \d{4}-\d\d-\d\dT[\d:.]+Z the cluster at \S+ cannot be reached \(ECONNRESET\)$/,
    );
    expect(lines.filter((line) => line.includes('cannot be reached'))).toHaveLength(1);
  });
});
