import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { operate } from '../../support/kube/imitation-operator.js';
import { failureOf, modelIs, serviceIs, until, WaitingDeploy } from '../../support/deploy/waiting-deploy.js';

const SERVICE = { plural: 'inferenceservices', namespace: 'default', name: 'tiny' };
const MODEL = { plural: 'models', namespace: 'default', name: 'tiny' };

describe('what ends the waiting, and what does not', () => {
  let deploys: WaitingDeploy;
  beforeEach(async () => {
    deploys = await WaitingDeploy.start();
  });
  afterEach(() => deploys.api.close());

  describe('for a service that was there before', () => {
    beforeEach(async () => {
      await deploys.run({ wait: false });
      deploys.api.store.setStatus(MODEL, { phase: 'Ready' });
    });

    test('a failure of the old spec decides nothing', async () => {
      deploys.api.store.setStatus(SERVICE, {
        phase: 'Failed',
        schedulingStatus: 'InsufficientMemory',
        schedulingMessage: 'old',
      });
      const deploying = deploys.run({}, { launch: { accelerator: 'cpu', ctxSize: 2048 } });
      await until(() => deploys.api.watches.size === 2);
      deploys.api.store.setStatus(SERVICE, {
        phase: 'Creating',
        schedulingStatus: 'InsufficientMemory',
        schedulingMessage: 'old',
      });
      deploys.api.store.setStatus(SERVICE, { phase: 'Ready' });
      expect((await deploying).state).toBe('ready');
    });

    test('a Ready of the old spec is not the end', async () => {
      deploys.api.store.setStatus(SERVICE, { phase: 'Ready' });
      const deploying = deploys.run({}, { launch: { accelerator: 'cpu', ctxSize: 2048 } });
      await until(() => deploys.api.watches.size === 2);
      deploys.api.store.setStatus(SERVICE, { phase: 'Failed' });
      expect((await failureOf(deploying)).code).toBe('SERVICE_FAILED');
    });

    test('but what has not changed is ready at once', async () => {
      deploys.api.store.setStatus(SERVICE, { phase: 'Ready' });
      expect((await deploys.run()).state).toBe('ready');
    });

    test('a status that nobody renews counts after a while', async () => {
      deploys.api.store.setStatus(SERVICE, { phase: 'Ready' });
      const { state } = await deploys.run({ settleMs: 50 }, { launch: { accelerator: 'cpu', ctxSize: 2048 } });
      expect(state).toBe('ready');
    });

    test('a service without replicas is up when it has stopped', async () => {
      const deploying = deploys.run({}, { replicas: 0 });
      await until(() => deploys.api.watches.size === 2);
      deploys.api.store.setStatus(SERVICE, { phase: 'Stopped' });
      expect((await deploying).state).toBe('stopped');
    });

    test('a refusal of the old spec that the agent lets stand decides nothing before the end of the time', async () => {
      const old = { phase: 'Failed', schedulingStatus: 'InsufficientMemory', schedulingMessage: 'estimated 24.3 GB' };
      deploys.api.store.setStatus(SERVICE, old);
      const deploying = deploys.run(
        { settleMs: 20, timeoutMs: 700 },
        { launch: { accelerator: 'cpu', ctxSize: 2048 } },
      );
      await until(() => deploys.api.watches.size === 2);
      deploys.api.store.setStatus(SERVICE, { ...old, phase: 'Pending' });
      const error = await failureOf(deploying);
      expect([error.code, error.exitCode]).toEqual(['INSUFFICIENT_MEMORY', 1]);
      expect(deploys.lines.filter((line) => line.startsWith('InferenceService: Pending'))).toHaveLength(1);
    });

    test('the same refusal about the new spec, by its observedGeneration, decides at once', async () => {
      const condition = {
        type: 'MemoryFit',
        status: 'False',
        reason: 'InsufficientMemory',
        message: 'estimated 24.3 GB',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      };
      deploys.api.store.setStatus(SERVICE, { phase: 'Failed', conditions: [{ ...condition, observedGeneration: 1 }] });
      const deploying = deploys.run({}, { launch: { accelerator: 'cpu', ctxSize: 2048 } });
      await until(() => deploys.api.watches.size === 2);
      deploys.api.store.setStatus(SERVICE, { phase: 'Failed', conditions: [{ ...condition, observedGeneration: 2 }] });
      expect((await failureOf(deploying)).code).toBe('INSUFFICIENT_MEMORY');
    });

    test('one that is suspended is said to be, at once', async () => {
      deploys.api.store.patch(SERVICE, { spec: { suspend: true } }, 'kubectl-patch', { dryRun: false });
      const error = await failureOf(deploys.run());
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
    operate(deploys.api, [
      serviceIs({ phase: 'Failed', schedulingStatus: reason, schedulingMessage: 'because of this' }),
    ]);
    const error = await failureOf(deploys.run());
    expect([error.code, error.exitCode]).toEqual(['DEPLOY_REFUSED', 4]);
    expect(error.message).toContain(`${reason}: default/tiny was refused by the cluster: because of this`);
  });

  test('what the operator let stand about scheduling is not said of a service that is ready', async () => {
    operate(deploys.api, [
      modelIs({ phase: 'Ready' }),
      serviceIs({
        phase: 'Ready',
        schedulingStatus: 'WaitingForMetalAgent',
        schedulingMessage: 'Waiting for the agent',
      }),
    ]);
    expect((await deploys.run()).state).toBe('ready');
    expect(deploys.lines).toContain('InferenceService: Ready');
  });

  test('a server that is away until the end is named there, with the time since when', async () => {
    const deploying = failureOf(deploys.run({ timeoutMs: 600 }));
    await until(() => deploys.api.watches.size === 2);
    deploys.api.inject({ path: /inference/, drop: true, times: 1000 });
    deploys.api.dropWatches();
    const error = await deploying;
    expect(error.code).toBe('WAIT_TIMEOUT');
    expect(error.message).toMatch(
      /; since \d{4}-\d\d-\d\dT[\d:.]+Z the cluster at \S+ cannot be reached \(ECONNRESET\)$/,
    );
    expect(deploys.lines.filter((line) => line.includes('cannot be reached'))).toHaveLength(1);
  });
});
