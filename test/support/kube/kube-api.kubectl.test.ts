import { execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KubeApi } from './kube-api.js';
import { writeKubeconfig } from './kubeconfig-file.js';
import { LOOPBACK_CERTIFICATE_FILE, LOOPBACK_TLS } from '../servers/loopback-tls.js';

const hasKubectl =
  spawnSync('kubectl', ['version', '--client'], { env: { PATH: process.env.PATH, HOME: '/nonexistent' } }).status === 0;
const describeWithKubectl = hasKubectl ? describe : describe.skip;
const TOKEN = 'test-token-of-the-double';
const KEY = { plural: 'inferenceservices', namespace: 'default', name: 'tiny' };

function manifest(spec: Record<string, unknown>): string {
  return JSON.stringify({
    apiVersion: 'inference.llmkube.dev/v1alpha1',
    kind: 'InferenceService',
    metadata: { name: 'tiny', namespace: 'default' },
    spec: { modelRef: 'tiny', ...spec },
  });
}

describeWithKubectl('the API double, as the real kubectl sees it (skipped without kubectl)', () => {
  let api: KubeApi;
  let env: NodeJS.ProcessEnv;

  beforeEach(async () => {
    api = await KubeApi.start({ token: TOKEN, tls: LOOPBACK_TLS });
    const KUBECONFIG = await kubeconfigWith(TOKEN);
    env = { PATH: process.env.PATH, HOME: await mkdtemp(join(tmpdir(), 'kubectl-home-')), KUBECONFIG };
  });
  afterEach(() => api.close());

  function kubeconfigWith(token: string): Promise<string> {
    return writeKubeconfig({ double: { server: api.url, token, caFile: LOOPBACK_CERTIFICATE_FILE } });
  }

  async function kubectl(args: string[], input = ''): Promise<{ code: number; stdout: string; stderr: string }> {
    const running = promisify(execFile)('kubectl', args, { env });
    running.child.stdin?.end(input);
    return running.then(
      (output) => ({ code: 0, ...output }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        stdout: error.stdout,
        stderr: error.stderr,
      }),
    );
  }

  test('applies, says unchanged, configures and gets', async () => {
    const created = await kubectl(['apply', '-f', '-'], manifest({ replicas: 1 }));
    expect(created).toMatchObject({ code: 0, stdout: 'inferenceservice.inference.llmkube.dev/tiny created\n' });
    const again = await kubectl(['apply', '-f', '-'], manifest({ replicas: 1 }));
    expect(again.stdout).toBe('inferenceservice.inference.llmkube.dev/tiny unchanged\n');
    const configured = await kubectl(['apply', '-f', '-'], manifest({ replicas: 3 }));
    expect(configured.stdout).toBe('inferenceservice.inference.llmkube.dev/tiny configured\n');
    const got = await kubectl(['get', 'isvc', 'tiny', '-o', 'jsonpath={.spec.replicas} {.metadata.generation}']);
    expect(got.stdout).toBe('3 2');
  });

  test('applies on the server, and a second manager meets the conflict by field and owner', async () => {
    const args = ['apply', '--server-side', '-f', '-', '--field-manager'];
    const first = await kubectl([...args, 'one'], manifest({ replicas: 1 }));
    expect(first).toMatchObject({
      code: 0,
      stdout: 'inferenceservice.inference.llmkube.dev/tiny serverside-applied\n',
    });
    const second = await kubectl([...args, 'two'], manifest({ replicas: 2 }));
    expect(second.code).toBe(1);
    expect(second.stderr).toContain('conflict with "one": .spec.replicas');
    const forced = await kubectl([...args, 'two', '--force-conflicts'], manifest({ replicas: 2 }));
    expect(forced.code).toBe(0);
    expect(api.store.get(KEY)?.spec?.replicas).toBe(2);
  });

  test('refuses a value that is out of bounds, and a field that it does not know', async () => {
    const outOfBounds = await kubectl(['apply', '-f', '-'], manifest({ replicas: 11 }));
    expect(outOfBounds.code).toBe(1);
    expect(outOfBounds.stderr).toContain('spec.replicas: Invalid value');
    const unknown = await kubectl(['apply', '-f', '-'], manifest({ bogus: true }));
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain('unknown field "spec.bogus"');
    expect(api.store.get(KEY)).toBeUndefined();
  });

  test('watches through a change of status to the deletion', async () => {
    await kubectl(['apply', '-f', '-'], manifest({}));
    const watching = spawn('kubectl', ['get', 'isvc', 'tiny', '-w', '-o', 'jsonpath={.status.phase}{"\\n"}'], { env });
    const lines = createInterface(watching.stdout)[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('');
    while (api.watches.size === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    api.store.setStatus(KEY, { phase: 'Ready' });
    expect((await lines.next()).value).toBe('Ready');
    watching.kill();
    const deleted = await kubectl(['delete', 'isvc', 'tiny']);
    expect(deleted.stdout).toContain('"tiny" deleted');
    expect(api.store.get(KEY)).toBeUndefined();
  });

  test('does not let anybody in without the token', async () => {
    env.KUBECONFIG = await kubeconfigWith('another');
    const { code, stderr } = await kubectl(['get', 'isvc']);
    expect(code).toBe(1);
    expect(stderr).toContain('You must be logged in to the server');
  });
});
