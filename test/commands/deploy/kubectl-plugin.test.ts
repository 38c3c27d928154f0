import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { clusterOfEachTest } from '../../support/kube/cluster-of-each-test.js';
import { cliEnvironment, run, RUN_JS, runCli } from '../../support/run-cli.js';

const hasKubectl = spawnSync('kubectl', ['version', '--client'], { env: cliEnvironment() }).status === 0;
const describeWithKubectl = hasKubectl ? describe : describe.skip;
const PLAN = ['llama-3.2-3b', '--offline', '--accelerator', 'cpu', '--system-memory', '64Gi', '--in-use', '0'];

describeWithKubectl('beside the real kubectl (skipped without kubectl)', () => {
  const cluster = clusterOfEachTest();

  test('"kubectl llmkube" is this program', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'llmkube-plugin-'));
    await symlink(RUN_JS, join(folder, 'kubectl-llmkube'));
    const PATH = [folder, dirname(process.execPath), process.env.PATH].join(delimiter);
    const env = { ...cliEnvironment({ KUBECONFIG: cluster.kubeconfig }), PATH };
    const deployed = await run('kubectl', ['llmkube', 'deploy', ...PLAN, '--no-wait'], env);
    expect([deployed.exitCode, deployed.stderr.includes('Error')]).toEqual([0, false]);
    const listed = await run('kubectl', ['llmkube', 'list'], env);
    expect(listed.stdout).toContain('llama-3.2-3b');
  });

  test('the manifests of a dry run go through "kubectl apply -f -"', async () => {
    const { stdout: manifests } = await runCli(['deploy', ...PLAN, '--dry-run', 'client', '-o', 'yaml']);
    const applying = promisify(execFile)('kubectl', ['apply', '-f', '-'], {
      env: cliEnvironment({ KUBECONFIG: cluster.kubeconfig }),
    });
    applying.child.stdin?.end(manifests);
    expect((await applying).stdout).toBe(
      'model.inference.llmkube.dev/llama-3.2-3b created\ninferenceservice.inference.llmkube.dev/llama-3.2-3b created\n',
    );
  });

  test('"kubectl describe" shows why it was let in', async () => {
    await runCli(['deploy', ...PLAN, '--no-wait'], { KUBECONFIG: cluster.kubeconfig });
    const described = await run(
      'kubectl',
      ['describe', 'isvc', 'llama-3.2-3b'],
      cliEnvironment({ KUBECONFIG: cluster.kubeconfig }),
    );
    expect(described.stdout).toContain('inference.llmkube.dev/memory-check-verdict: fits');
  });
});
