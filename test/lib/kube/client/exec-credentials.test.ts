import { describe, expect, test } from '@jest/globals';
import { ExecCredentials } from '../../../../src/lib/kube/client/exec-credentials.js';
import { connect } from '../../../../src/lib/kube/client/client.js';
import { KubeApi } from '../../../support/kube/kube-api.js';
import { writeKubeconfig } from '../../../support/kube/kubeconfig-file.js';
import { LOOPBACK_CERTIFICATE_FILE, LOOPBACK_TLS } from '../../../support/servers/loopback-tls.js';

const plugin = (program: string) => ({
  apiVersion: 'client.authentication.k8s.io/v1',
  command: process.execPath,
  args: ['-e', program],
});
const HANGS = 'setInterval(() => {}, 1000)';

describe('an exec plugin of a kubeconfig', () => {
  test('that hangs is ended when its time is over', async () => {
    const credentials = new ExecCredentials(plugin(HANGS), { name: 'me' }, 300);
    await expect(credentials.refresh(undefined)).rejects.toMatchObject({
      code: 'CREDENTIALS_FAILED',
      message: 'no credentials for the cluster: its plugin did not end within 0.3 s',
    });
  });

  test('that hangs ends with whoever waits for it', async () => {
    const credentials = new ExecCredentials(plugin(HANGS), { name: 'me' });
    await expect(credentials.refresh(AbortSignal.timeout(100))).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test('that fails is quoted, coloured or not, but for what its words give away', async () => {
    const words = 'cannot log in:\\n \\u001b[31mtoken\\u001b[0m=s3cret99 password: hunter2xx --token s3cret99';
    const credentials = new ExecCredentials(plugin(`console.error("${words}"); process.exit(3)`), { name: 'me' });
    await expect(credentials.refresh(undefined)).rejects.toMatchObject({
      message: 'no credentials for the cluster: cannot log in:  token=*** password: *** --token ***',
    });
  });

  test('may take longer than a call of the cluster, since a person may have to log in', async () => {
    const callMs = 1000;
    const status = JSON.stringify({ status: { token: 'abcdefghijkl' } });
    const slow = plugin(`setTimeout(() => console.log(${JSON.stringify(status)}), ${2 * callMs})`);
    const api = await KubeApi.start({ tls: LOOPBACK_TLS });
    const entry = { server: api.url, user: { exec: slow }, caFile: LOOPBACK_CERTIFICATE_FILE };
    const client = await connect({ kubeconfig: await writeKubeconfig({ double: entry }), timeoutMs: callMs });
    const found = await client.list('Model', undefined).finally(() => api.close());
    expect(found).toEqual([]);
  });
});
