import { afterEach, describe, expect, test } from '@jest/globals';
import type { ClusterError } from '../../../src/lib/errors.js';
import { deployToCluster } from '../../../src/lib/kube/deploy/deploy.js';
import { planFor } from '../../support/deploy/deploy-plans.js';
import { failedDeploy } from '../../support/deploy/failed-deploy.js';
import { KubeApi } from '../../support/kube/kube-api.js';
import { ApiFailure, type Json } from '../../support/kube/kube-types.js';
import { writeKubeconfig } from '../../support/kube/kubeconfig-file.js';
import { LOOPBACK_CERTIFICATE_FILE, LOOPBACK_TLS } from '../../support/servers/loopback-tls.js';

describe('what a cluster should not answer', () => {
  let api: KubeApi | undefined;
  afterEach(() => api?.close());

  test.each<[string, Json]>([
    ['null', null],
    ['a list', []],
    ['an object without a name', { metadata: {}, spec: {} }],
    [
      'drafting that is a number',
      { metadata: { name: 'tiny', namespace: 'default' }, spec: { speculativeDecoding: { type: 7 } } },
    ],
    ['a spec that is a text', { metadata: { name: 'tiny', namespace: 'default' }, spec: 'x' }],
    [
      'conditions that are a text',
      { metadata: { name: 'tiny', namespace: 'default' }, spec: {}, status: { conditions: 'x' } },
    ],
    ['nothing among the owners', { metadata: { name: 'tiny', namespace: 'default', managedFields: [null] }, spec: {} }],
  ])('%s instead of a resource is no API server', async (_, json) => {
    const error = await failedDeploy({}, {}, {}, (double) => double.inject({ json }));
    expect(error.code).toBe('CLUSTER_UNEXPECTED_ANSWER');
  });

  test('an answer without end is not read to its end', async () => {
    const error = await failedDeploy({}, {}, {}, (double) => double.inject({ endless: true }));
    expect(error.code).toBe('CLUSTER_UNEXPECTED_ANSWER');
    expect(error.message).toContain('more than 8 MiB');
  });

  test('a server that takes the request and never answers is given up', async () => {
    api = await KubeApi.start();
    api.inject({ silent: true, times: 100 });
    const kubeconfig = await writeKubeconfig({ double: { server: api.url } });
    const options = { kubeconfig, wait: false, timeoutMs: 60_000, callTimeoutMs: 300 };
    await expect(deployToCluster(planFor(), options)).rejects.toMatchObject({ code: 'CLUSTER_TIMEOUT', exitCode: 4 });
  });

  test('a server that starts is asked again', async () => {
    api = await KubeApi.start();
    const starting = new ApiFailure(503, 'ServiceUnavailable', 'starting', { retryAfterSeconds: 0 });
    api.inject({ failure: starting, times: 2 });
    const kubeconfig = await writeKubeconfig({ double: { server: api.url } });
    const { state } = await deployToCluster(planFor(), { kubeconfig, wait: false, timeoutMs: 1000 });
    expect(state).toBe('applied');
  });

  test('a redirect is not followed, to a sound server either', async () => {
    api = await KubeApi.start();
    const movedTo = api.url;
    const error = await failedDeploy({}, {}, {}, (double) => double.inject({ movedTo, times: 100 }));
    expect(error.code).toBe('CLUSTER_REFUSED');
    expect(api.requests).toEqual([]);
  });

  test('a namespace that is being deleted is said to be', async () => {
    const error = await failedDeploy({ terminating: ['default'] });
    expect(error.code).toBe('NAMESPACE_TERMINATING');
    expect(JSON.stringify(error.options.suggestions)).not.toContain('can-i');
  });

  test('what the server says of rules that it did not get to is left out beside a real cause', async () => {
    const error = await failedDeploy(
      {},
      {},
      { gpu: {}, memory: '4Gi', launch: { accelerator: 'cpu', ctxSize: 8192, parallel: 64 } },
      (double) => {
        const causes = [
          { reason: 'FieldValueInvalid', field: 'spec.x\u001b[31m', message: 'Invalid value' },
          { reason: 'FieldValueInvalid', field: '<nil>', message: 'some validation rules were not checked' },
        ];
        double.inject({ method: 'PATCH', failure: new ApiFailure(422, 'Invalid', 'is invalid', { causes }) });
      },
    );
    expect(error.code).toBe('INVALID_RESOURCE');
    expect(error.message).toContain('spec.x [31m: Invalid value');
    expect(error.message).not.toContain('not checked');
  });

  test.each([
    [
      'prints without end',
      'const more = () => { while (process.stdout.write("x".repeat(1e5))); process.stdout.once("drain", more); }; more()',
      'CREDENTIALS_FAILED',
      'more than any credential',
    ],
    [
      'complains with a secret',
      'console.error("Bearer abcdefghijkl\\u001b[2J"); process.exit(3)',
      'CREDENTIALS_FAILED',
      'Bearer ***',
    ],
  ])('an exec plugin that %s ends in one sentence', async (_, program, code, words) => {
    api = await KubeApi.start({ tls: LOOPBACK_TLS });
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', program] };
    const entry = { server: api.url, user: { exec }, caFile: LOOPBACK_CERTIFICATE_FILE };
    const kubeconfig = await writeKubeconfig({ double: entry });
    const options = { kubeconfig, wait: false, timeoutMs: 60_000 };
    const error = (await deployToCluster(planFor(), options).catch((thrown: unknown) => thrown)) as ClusterError;
    expect([error.code, error.exitCode]).toEqual([code, 4]);
    expect(error.message).toContain(words);
    expect(error.message).not.toMatch(/abcdefghijkl|\p{Cc}/u);
  });
});
