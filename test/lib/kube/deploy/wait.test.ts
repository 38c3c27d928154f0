import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { operate, TO_READY } from '../../../support/kube/imitation-operator.js';
import { ApiFailure } from '../../../support/kube/kube-types.js';
import { failureOf, modelIs, serviceIs, until, WaitingDeploy } from '../../../support/deploy/waiting-deploy.js';

const SERVICE = { plural: 'inferenceservices', namespace: 'default', name: 'tiny' };
const MODEL = { plural: 'models', namespace: 'default', name: 'tiny' };

describe('waiting for a deploy', () => {
  let deploys: WaitingDeploy;
  beforeEach(async () => {
    deploys = await WaitingDeploy.start();
  });
  afterEach(() => deploys.api.close());

  test('follows both through their phases to Ready, and names the endpoint and a call to try', async () => {
    operate(deploys.api, TO_READY);
    const { state, endpoint } = await deploys.run();
    expect(state).toBe('ready');
    expect(deploys.lines.slice(0, 2)).toEqual([
      'model.inference.llmkube.dev/tiny created',
      'inferenceservice.inference.llmkube.dev/tiny created',
    ]);
    expect(deploys.lines.filter((line) => line.startsWith('Model:'))).toEqual(['Model: Downloading', 'Model: Ready']);
    expect(deploys.lines.filter((line) => line.startsWith('InferenceService:'))).toEqual([
      'InferenceService: Pending',
      'InferenceService: Creating',
      'InferenceService: Ready',
    ]);
    expect(endpoint?.url).toBe('http://tiny.default.svc:8080');
    expect(endpoint?.tryIt[0]).toBe(
      `kubectl --kubeconfig ${deploys.kubeconfig} port-forward -n default svc/tiny 8080:8080`,
    );
    expect(endpoint?.tryIt[1]).toContain('curl http://localhost:8080/v1/chat/completions');
  });

  test('tells a few hundred changes at most, each in a sentence, however often and at what length a cluster changes its mind', async () => {
    const phases = Array.from({ length: 400 }, (_, index) =>
      serviceIs({ phase: 'Creating', schedulingMessage: `step ${index}` }),
    );
    operate(deploys.api, [
      serviceIs({ phase: 'Pending', schedulingMessage: 'x'.repeat(50_000) }),
      ...phases,
      ...TO_READY,
    ]);
    expect((await deploys.run()).state).toBe('ready');
    const told = deploys.lines.filter((line) => !line.endsWith('created'));
    expect(told).toHaveLength(201);
    expect(told.at(-1)).toContain('has changed 200 times');
    expect(Math.max(...told.map((line) => line.length))).toBeLessThan(2100);
  });

  describe('where an agent runs, and no operator', () => {
    const says = (type: string, status: string, reason: string, generation?: number) => ({
      ...{ type, status, reason, message: `${reason} it is`, lastTransitionTime: '2026-01-01T00:00:00Z' },
      ...(generation !== undefined && { observedGeneration: generation }),
    });
    const fits = says('MemoryFit', 'True', 'Fits', 1);

    test('is over when the process answers that was checked for this spec', async () => {
      operate(deploys.api, [
        serviceIs({ conditions: [fits, says('ServerReady', 'False', 'Loading')] }),
        serviceIs({ conditions: [fits, says('ServerReady', 'True', 'Ready')] }),
      ]);
      expect((await deploys.run()).state).toBe('ready');
      expect(deploys.lines).toContain('InferenceService: Loading (Loading it is)');
    });

    test('is not over while the process of an earlier spec answers', async () => {
      const earlier = says('MemoryFit', 'True', 'Fits', 0);
      operate(deploys.api, [serviceIs({ conditions: [earlier, says('ServerReady', 'True', 'Ready')] })]);
      expect(await failureOf(deploys.run({ timeoutMs: 500 }))).toMatchObject({ code: 'WAIT_TIMEOUT' });
    });

    test('ends with a refusal of the agent', async () => {
      const refused = says('MemoryFit', 'False', 'InsufficientMemory', 1);
      operate(deploys.api, [serviceIs({ conditions: [refused, says('ServerReady', 'False', 'NotStarted')] })]);
      expect(await failureOf(deploys.run())).toMatchObject({ code: 'INSUFFICIENT_MEMORY', exitCode: 1 });
    });
  });

  test('reads each resource once and then watches: it does not poll', async () => {
    operate(deploys.api, TO_READY);
    await deploys.run();
    const reads = deploys.api.requests.filter(({ method, query }) => method === 'GET' && !query.has('watch'));
    expect(reads.map(({ path }) => path.split('/').slice(-2).join('/'))).toEqual([
      ...['models/tiny', 'inferenceservices/tiny'],
      // Again for an operator that does not know resources.memoryLimit.
      ...['models/tiny', 'inferenceservices/tiny'],
      ...['models/tiny', 'inferenceservices/tiny'],
    ]);
    expect(deploys.api.requests.filter(({ query }) => query.has('watch'))).toHaveLength(2);
  });

  test('says why a phase lasts, and shows the progress of a download', async () => {
    const downloading = (message: string) =>
      modelIs({
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
    operate(deploys.api, [downloading('20 of 100 MiB'), downloading('80 of 100 MiB'), ...TO_READY]);
    await deploys.run();
    expect(deploys.lines).toContain('Model: Downloading (20 of 100 MiB)');
    expect(deploys.lines).toContain('Model: Downloading (80 of 100 MiB)');
  });

  test('a refusal by the machine ends with its reason and exit code 1', async () => {
    operate(deploys.api, [
      serviceIs({
        phase: 'Pending',
        schedulingStatus: 'InsufficientMemory',
        schedulingMessage: 'needs 21 GiB of 18 GiB',
      }),
    ]);
    const error = await failureOf(deploys.run());
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
    operate(deploys.api, [serviceIs({ phase: 'Failed', conditions: [refusing] })]);
    expect((await failureOf(deploys.run())).exitCode).toBe(1);
  });

  test.each([
    [
      'a memory check that could not be completed',
      serviceIs({ phase: 'Pending', schedulingStatus: 'MemoryCheckFailed', schedulingMessage: 'size unknown' }),
      'MEMORY_CHECK_FAILED',
      'size unknown',
    ],
    [
      'a model that failed',
      modelIs({
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
      serviceIs({ phase: 'Failed' }),
      'SERVICE_FAILED',
      'the cluster gave no reason',
    ],
  ])('%s ends with the reason and exit code 4', async (_, step, code, reason) => {
    operate(deploys.api, [step]);
    const error = await failureOf(deploys.run());
    expect([error.exitCode, error.code]).toEqual([4, code]);
    expect(error.message).toContain(reason);
  });

  test('the end of the time says what it was waiting for', async () => {
    operate(deploys.api, [modelIs({ phase: 'Downloading' })]);
    const error = await failureOf(deploys.run({ timeoutMs: 700 }));
    expect([error.exitCode, error.code]).toEqual([4, 'WAIT_TIMEOUT']);
    expect(error.message).toContain(
      'still waiting for Model Downloading, InferenceService not yet seen by the operator',
    );
  });

  test('a deletion ends it', async () => {
    const error = failureOf(deploys.run());
    await until(() => deploys.api.watches.size === 2);
    deploys.api.store.delete(SERVICE);
    expect((await error).code).toBe('DELETED');
  });

  test('Ctrl-C ends the waiting, not the deploy', async () => {
    const interrupt = new AbortController();
    const deploying = deploys.run({ signal: interrupt.signal });
    await until(() => deploys.api.watches.size === 2);
    interrupt.abort();
    expect((await deploying).state).toBe('interrupted');
    expect(deploys.api.store.get(SERVICE)).toBeDefined();
    await until(() => deploys.api.watches.size === 0);
  });

  test('without --wait nothing is watched', async () => {
    expect((await deploys.run({ wait: false })).state).toBe('applied');
    expect(deploys.api.requests.filter(({ query }) => query.has('watch'))).toEqual([]);
  });

  test('goes on after the connection of a watch breaks, from where it was', async () => {
    const deploying = deploys.run();
    await until(() => deploys.api.watches.size === 2);
    deploys.api.store.setStatus(MODEL, { phase: 'Downloading' });
    await until(() => deploys.lines.includes('Model: Downloading'));
    deploys.api.dropWatches();
    deploys.api.store.setStatus(MODEL, { phase: 'Ready' });
    deploys.api.store.setStatus(SERVICE, { phase: 'Ready' });
    expect((await deploying).state).toBe('ready');
    expect(deploys.lines.filter((line) => line === 'Model: Downloading')).toHaveLength(1);
  });

  test('goes on when the server ends a watch in good order', async () => {
    const deploying = deploys.run();
    await until(() => deploys.api.watches.size === 2);
    for (const watch of deploys.api.watches) watch.end();
    await until(() => deploys.api.requests.filter(({ query }) => query.has('watch')).length === 4);
    deploys.api.store.setStatus(MODEL, { phase: 'Ready' });
    deploys.api.store.setStatus(SERVICE, { phase: 'Ready' });
    expect((await deploying).state).toBe('ready');
  });

  test('reads anew after 410 Gone', async () => {
    const deploying = deploys.run();
    await until(() => deploys.api.watches.size === 2);
    deploys.api.dropWatches();
    await until(() => deploys.api.watches.size === 0);
    deploys.api.store.setStatus(MODEL, { phase: 'Ready' });
    deploys.api.store.setStatus(SERVICE, { phase: 'Ready' });
    deploys.api.store.compact();
    expect((await deploying).state).toBe('ready');
  });

  test('reads anew when a watch is answered with 410 outright', async () => {
    deploys.api.inject({ watch: true, failure: new ApiFailure(410, 'Expired', 'too old'), times: 2 });
    operate(deploys.api, TO_READY);
    expect((await deploys.run()).state).toBe('ready');
    expect(deploys.lines.filter((line) => line.includes('too old'))).toEqual([]);
  });

  test('a bookmark moves on the version that a later watch starts from', async () => {
    const deploying = deploys.run();
    await until(() => deploys.api.watches.size === 2);
    deploys.api.store.compact();
    for (const watch of deploys.api.watches) watch.bookmark();
    const version = String(deploys.api.store.version);
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const watch of deploys.api.watches) watch.end();
    await until(() => deploys.api.requests.filter(({ query }) => query.has('watch')).length === 4);
    const started = deploys.api.requests
      .filter(({ query }) => query.has('watch'))
      .map(({ query }) => query.get('resourceVersion'));
    expect(started.slice(2)).toEqual([version, version]);
    deploys.api.store.setStatus(MODEL, { phase: 'Ready' });
    deploys.api.store.setStatus(SERVICE, { phase: 'Ready' });
    await deploying;
  });

  test('a server that fails for a while is asked again, and that is said once', async () => {
    deploys.api.inject({ watch: true, failure: new ApiFailure(503, 'ServiceUnavailable', 'restarting'), times: 2 });
    operate(deploys.api, TO_READY);
    expect((await deploys.run()).state).toBe('ready');
    expect(deploys.lines.filter((line) => line.includes('restarting') && line.endsWith('trying again'))).toHaveLength(
      1,
    );
  });

  test('missing permission to watch ends it at once', async () => {
    deploys.api.inject({ watch: true, failure: new ApiFailure(403, 'Forbidden', 'cannot watch') });
    expect((await failureOf(deploys.run())).code).toBe('FORBIDDEN');
  });
});
