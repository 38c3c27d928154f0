import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { connect } from '../../../src/lib/kube/client/client.js';
import { failedDeploy } from '../../support/deploy/failed-deploy.js';
import { writeKubeconfig } from '../../support/kube/kubeconfig-file.js';
import { KubeApi } from '../../support/kube/kube-api.js';
import { ApiFailure } from '../../support/kube/kube-types.js';
import { LOOPBACK_CERTIFICATE_FILE, LOOPBACK_TLS } from '../../support/servers/loopback-tls.js';

const SECRET = 'token-that-nobody-may-see';

describe('what a cluster can answer', () => {
  test('401: the credentials are not accepted, and are not repeated', async () => {
    const secure = { token: 'right', tls: LOOPBACK_TLS };
    const error = await failedDeploy(secure, { token: SECRET, caFile: LOOPBACK_CERTIFICATE_FILE });
    expect(error.code).toBe('UNAUTHORIZED');
    expect(JSON.stringify([error.message, error.options, error.stack])).not.toContain(SECRET);
  });

  test('403: what is not allowed, and what it takes', async () => {
    const forbidden = new ApiFailure(403, 'Forbidden', 'User "eve" cannot get resource "models"');
    const error = await failedDeploy({}, {}, {}, (double) => double.inject({ failure: forbidden }));
    expect(error.code).toBe('FORBIDDEN');
    expect(error.message).toBe(
      'the cluster does not let you get Model default/tiny: User "eve" cannot get resource "models"',
    );
  });

  test('404 of the kind: the CRDs are not installed', async () => {
    const error = await failedDeploy({ crds: false });
    expect(error.code).toBe('LLMKUBE_NOT_INSTALLED');
    expect(error.message).toContain('models.inference.llmkube.dev');
  });

  test('404 of the namespace', async () => {
    const error = await failedDeploy({}, {}, { namespace: 'nowhere' });
    expect(error.code).toBe('NAMESPACE_NOT_FOUND');
    expect(error.options.suggestions).toEqual(['create it with: kubectl create namespace nowhere']);
  });

  test('an operator that does not know a field', async () => {
    const old = { withoutFields: ['InferenceService.spec.skipModelInit'] };
    let api: KubeApi | undefined;
    const error = await failedDeploy(old, {}, { skipModelInit: true }, (double) => void (api = double));
    expect(error.code).toBe('OPERATOR_TOO_OLD');
    expect(error.message).toContain('does not know the field spec.skipModelInit');
    expect(api?.store.list('models', 'default')).toEqual([]);
  });

  test('422: each field and what is wrong with it', async () => {
    const causes = [{ reason: 'FieldValueInvalid', field: 'spec.replicas', message: 'Invalid value: 5' }];
    const invalid = new ApiFailure(422, 'Invalid', 'is invalid', { causes });
    const error = await failedDeploy({}, {}, {}, (double) => double.inject({ method: 'PATCH', failure: invalid }));
    expect(error.code).toBe('INVALID_RESOURCE');
    expect(error.message).toContain('spec.replicas: Invalid value: 5');
  });

  test('a value of --env that the server repeats is masked', async () => {
    const invalid = new ApiFailure(422, 'Invalid', `spec.env[0].value: Invalid value: "${SECRET}"`);
    const env = [{ name: 'API_KEY', value: SECRET }];
    const error = await failedDeploy({}, {}, { env }, (double) => double.inject({ method: 'PATCH', failure: invalid }));
    expect(error.message).toContain('"***"');
    expect(error.message).not.toContain(SECRET);
  });

  test('429 that does not pass', async () => {
    const busy = new ApiFailure(429, 'TooManyRequests', 'slow down', { retryAfterSeconds: 0 });
    const error = await failedDeploy({}, {}, {}, (double) => double.inject({ failure: busy, times: 10 }));
    expect(error.code).toBe('CLUSTER_BUSY');
  });

  test('500', async () => {
    const broken = new ApiFailure(500, 'InternalError', 'etcd is gone');
    const error = await failedDeploy({}, {}, {}, (double) => double.inject({ failure: broken }));
    expect(error.code).toBe('CLUSTER_FAILED');
    expect(error.message).toContain('etcd is gone (HTTP 500)');
  });

  test('something that is no API server', async () => {
    const error = await failedDeploy({}, {}, {}, (double) => double.inject({ html: '<html>log in</html>' }));
    expect(error.code).toBe('CLUSTER_UNEXPECTED_ANSWER');
  });

  test('control characters of the server do not reach the terminal', async () => {
    const nasty = new ApiFailure(500, 'InternalError', 'bad\u001b[2J\u0007 news');
    const error = await failedDeploy({}, {}, {}, (double) => double.inject({ failure: nasty }));
    expect(error.message).toContain('bad [2J  news');
  });

  test('nobody listens', async () => {
    const gone = await KubeApi.start();
    const server = gone.url;
    await gone.close();
    const error = await failedDeploy({}, { server });
    expect(error.code).toBe('CLUSTER_UNREACHABLE');
    expect(error.message).toContain('ECONNREFUSED');
  });

  test('a certificate that no authority vouches for', async () => {
    let api: KubeApi | undefined;
    const error = await failedDeploy({ tls: LOOPBACK_TLS }, {}, {}, (double) => void (api = double));
    expect(error.code).toBe('CLUSTER_CERTIFICATE');
    expect(api?.requests).toEqual([]);
  });

  test('an exec plugin that is not installed', async () => {
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'no-such-plugin' };
    const error = await failedDeploy({ tls: LOOPBACK_TLS }, { user: { exec }, caFile: LOOPBACK_CERTIFICATE_FILE });
    expect(error.code).toBe('CREDENTIALS_FAILED');
    expect(error.message).toContain('the plugin "no-such-plugin" is not installed');
  });

  test('an exec plugin that prints something that is no credential is not quoted', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'llmkube-plugin-'));
    const script = join(directory, 'plugin.mjs');
    await writeFile(script, `console.log(${JSON.stringify(SECRET)})`);
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: [script] };
    const error = await failedDeploy({ tls: LOOPBACK_TLS }, { user: { exec }, caFile: LOOPBACK_CERTIFICATE_FILE });
    expect(error.code).toBe('CREDENTIALS_FAILED');
    expect(`${error.message}${error.stack}`).not.toContain(SECRET);
  });
});

test('a server that speaks no TLS has no certificate that could be wrong', async () => {
  const plain = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(plain, 'listening');
  const server = `https://127.0.0.1:${(plain.address() as AddressInfo).port}`;
  const client = await connect({ kubeconfig: await writeKubeconfig({ plain: { server } }) });
  await expect(client.list('Model', undefined)).rejects.toMatchObject({
    code: 'CLUSTER_UNREACHABLE',
    message: expect.stringContaining(`no encrypted connection to ${server} comes about`),
  });
  plain.close();
});
