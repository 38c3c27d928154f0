import { beforeEach, describe, expect, test } from '@jest/globals';
import { loadAll } from 'js-yaml';
import { CLUSTER_MODES } from '../../support/servers/hostile-modes.js';
import { HostileServer } from '../../support/servers/hostile-server.js';
import { operate, TO_READY } from '../../support/kube/imitation-operator.js';
import { KubeApi } from '../../support/kube/kube-api.js';
import { clusterOfEachTest } from '../../support/kube/cluster-of-each-test.js';
import { ApiFailure } from '../../support/kube/kube-types.js';
import { writeKubeconfig } from '../../support/kube/kubeconfig-file.js';
import { LOOPBACK_TLS } from '../../support/servers/loopback-tls.js';
import { cliEnvironment, run, RUN_JS, runCli, type CliResult } from '../../support/run-cli.js';

const NAME = 'llama-3.2-3b';
const SERVICE = { plural: 'inferenceservices', namespace: 'default', name: NAME };
const MODEL = { plural: 'models', namespace: 'default', name: NAME };
const FITS = ['--offline', '--accelerator', 'cpu', '--system-memory', '64Gi', '--in-use', '1Gi'];
const TOO_SMALL = ['--offline', '--accelerator', 'cpu', '--system-memory', '4Gi', '--in-use', '3Gi'];
const SECRET = 'value-that-nobody-may-see';

describe('llmkube deploy', () => {
  const cluster = clusterOfEachTest();
  let env: Record<string, string>;
  beforeEach(() => void (env = { KUBECONFIG: cluster.kubeconfig }));

  function deploy(...words: string[]): Promise<CliResult> {
    return runCli(['deploy', NAME, ...words], env);
  }

  test('checks, creates, follows to Ready and says where the endpoint is', async () => {
    operate(cluster.api, TO_READY, { name: NAME });
    const { stdout, stderr, exitCode } = await deploy(...FITS);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^FITS {2}llama-3\.2-3b/);
    expect(stdout).toContain(
      `model.inference.llmkube.dev/${NAME} created\ninferenceservice.inference.llmkube.dev/${NAME} created\n`,
    );
    expect(stdout).toContain(`${NAME} is ready at http://tiny.default.svc:8080`);
    expect(stdout).toContain('curl http://localhost:8080/v1/chat/completions');
    expect(stderr).toContain('Model: Downloading\n');
    expect(stderr).toContain('InferenceService: Ready\n');
    expect(cluster.api.store.get(SERVICE)?.metadata.annotations).toMatchObject({
      'inference.llmkube.dev/memory-check-verdict': 'fits',
      'inference.llmkube.dev/memory-check-mode': 'enforce',
      'inference.llmkube.dev/memory-check-budget-bytes': String(64 * 2 ** 30 * 0.75 - 2 ** 30),
    });
  });

  test('a second run changes nothing', async () => {
    await deploy(...FITS, '--no-wait');
    const { version } = cluster.api.store;
    const { stdout, exitCode } = await deploy(...FITS, '--no-wait');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(
      `model.inference.llmkube.dev/${NAME} unchanged\ninferenceservice.inference.llmkube.dev/${NAME} unchanged\n`,
    );
    expect(cluster.api.store.version).toBe(version);
  });

  test('what does not fit is refused with exit code 1, and not one request reaches the cluster', async () => {
    const { stdout, stderr, exitCode } = await deploy(...TOO_SMALL);
    expect(exitCode).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^Error: insufficient memory for llama-3\.2-3b \(Q5_K_M\)\n {2}Estimated requirement: ~/);
    expect(cluster.api.requests).toEqual([]);
  });

  test('with --memory-check warn it says so, goes on, and records it', async () => {
    const { stderr, exitCode } = await deploy(...TOO_SMALL, '--memory-check', 'warn', '--no-wait');
    expect(exitCode).toBe(0);
    expect(stderr).toContain('Warning: insufficient memory for llama-3.2-3b');
    expect(cluster.api.store.get(SERVICE)?.metadata.annotations).toMatchObject({
      'inference.llmkube.dev/memory-check-verdict': 'does-not-fit',
      'inference.llmkube.dev/memory-check-mode': 'warn',
    });
  });

  test('with --memory-check off nothing is read or measured, which is recorded too', async () => {
    const { exitCode } = await deploy(...TOO_SMALL, '--memory-check', 'off', '--no-wait');
    expect(exitCode).toBe(0);
    expect(cluster.api.store.get(SERVICE)?.metadata.annotations).toMatchObject({
      'inference.llmkube.dev/memory-check-verdict': 'skipped',
      'inference.llmkube.dev/memory-check-mode': 'off',
    });
    expect(cluster.api.store.get(SERVICE)?.spec?.resources).toEqual({ cpu: '2', memory: '4Gi' });
  });

  test('what cannot be checked is refused with exit code 3 and no request, unless it is only warned about', async () => {
    const words = ['deploy', 'mine', '--source', 'pvc://claim/model.gguf', '--accelerator', 'cpu', '--no-wait'];
    const refused = await runCli(words, env);
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr).toMatch(/^Error: cannot check the memory for mine\n/);
    expect(cluster.api.requests).toEqual([]);
    const warned = await runCli([...words, '--memory-check', 'warn'], env);
    expect(warned.exitCode).toBe(0);
    const model = cluster.api.store.get({ plural: 'models', namespace: 'default', name: 'mine' });
    expect(model?.spec?.source).toBe('pvc://claim/model.gguf');
    expect(model?.metadata.annotations?.['inference.llmkube.dev/memory-check-verdict']).toBe('unknown');
  });

  test('another runtime than llama-server cannot be checked', async () => {
    const { stderr, exitCode } = await deploy(...FITS, '--runtime', 'vllm');
    expect(exitCode).toBe(3);
    expect(stderr).toContain('--runtime vllm is not llama-server');
    expect(cluster.api.requests).toEqual([]);
  });

  test('--dry-run client prints manifests that hold together, and contacts nothing', async () => {
    const { stdout, exitCode } = await runCli(['deploy', NAME, ...FITS, '--dry-run', 'client', '-o', 'yaml'], {});
    expect(exitCode).toBe(0);
    const [model, service] = loadAll(stdout) as { kind: string; spec: { modelRef?: string } }[];
    expect([model?.kind, service?.kind, service?.spec.modelRef]).toEqual(['Model', 'InferenceService', NAME]);
    expect(stdout).not.toContain('managedFields');
  });

  test('-o json is one list, -o name two names', async () => {
    const json = await deploy(...FITS, '--dry-run', 'client', '-o', 'json');
    expect((JSON.parse(json.stdout) as { kind: string; items: unknown[] }).items).toHaveLength(2);
    const names = await deploy(...FITS, '--no-wait', '-o', 'name');
    expect(names.stdout).toBe(`model.inference.llmkube.dev/${NAME}\ninferenceservice.inference.llmkube.dev/${NAME}\n`);
  });

  test('--dry-run server asks the cluster and keeps nothing', async () => {
    const { stdout, exitCode } = await deploy(...FITS, '--dry-run', 'server');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`model.inference.llmkube.dev/${NAME} created (server dry run)`);
    expect(cluster.api.writes).toEqual([]);
  });

  test('what --extra-args say is said once, and not held against the bounds of fields', async () => {
    await deploy(...FITS, '--no-wait', '--extra-args', '--parallel 128 --cache-ram 0 -c 4096');
    const spec = cluster.api.store.get(SERVICE)?.spec;
    expect(spec?.extraArgs).toEqual(['--parallel', '128', '--cache-ram', '0', '-c', '4096']);
    expect(spec).not.toHaveProperty('parallelSlots');
  });

  test('flags as existing scripts write them', async () => {
    const words = [
      '--wait=false',
      '--jinja=true',
      '--gpu=false',
      '--context',
      '4096',
      '--env',
      'A=1,B=2',
      '-r',
      '2',
      '--node-port=30080',
    ];
    const { exitCode } = await deploy(
      ...FITS,
      ...words,
      '--min-replicas',
      '1',
      '--max-replicas',
      '3',
      '--cpu',
      '4',
      '--memory',
      '9Gi',
    );
    expect(exitCode).toBe(0);
    expect(cluster.api.store.get(SERVICE)?.spec).toMatchObject({
      contextSize: 4096,
      jinja: true,
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
      replicas: 2,
      endpoint: { type: 'NodePort', nodePort: 30080 },
      autoscaling: { minReplicas: 1, maxReplicas: 3 },
      resources: { cpu: '4', memory: '9Gi' },
    });
    expect(cluster.api.store.get(MODEL)?.spec?.hardware).toEqual({ accelerator: 'cpu' });
  });

  test('llama-server options that the API has no field for reach its command line', async () => {
    await deploy(...FITS, '--no-wait', '--no-mmap', '--cache-ram', '0', '--extra-args', '--seed 42');
    expect(cluster.api.store.get(SERVICE)?.spec?.extraArgs).toEqual([
      '--load-mode',
      'none',
      '--cache-ram',
      '0',
      '--seed',
      '42',
    ]);
  });

  test.each([
    [['--skip-cache'], '--skip-cache cannot be honoured'],
    [['--replicas', '11'], '--replicas 11 is not allowed'],
    [['--gpu-vendor', 'apple'], '--gpu-vendor "apple"'],
    [['--timeout', 'soon'], '--timeout "soon" is not a duration'],
    [['--env', SECRET], '--env number 1 is not of the form NAME=VALUE'],
    [['--gpu'], '--gpu and --accelerator cpu contradict each other'],
  ])('%p is a mistake in usage: exit code 2, and no request', async (words, message) => {
    const { stdout, stderr, exitCode } = await deploy(...FITS, ...words);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain(SECRET);
    expect(cluster.api.requests).toEqual([]);
  });

  test('--json is one object, also for a failure of the cluster', async () => {
    operate(cluster.api, TO_READY, { name: NAME });
    const ready = await deploy(...FITS, '--json');
    expect(JSON.parse(ready.stdout)).toMatchObject({
      verdict: 'fits',
      deploy: {
        state: 'ready',
        resources: [
          { kind: 'Model', outcome: 'created' },
          { kind: 'InferenceService', outcome: 'created' },
        ],
      },
    });
    expect(ready.stderr).toBe('');
    cluster.api.inject({ failure: new ApiFailure(403, 'Forbidden', 'not you') });
    const failed = await deploy(...FITS, '--json');
    expect(failed.exitCode).toBe(4);
    expect(JSON.parse(failed.stdout)).toMatchObject({ error: { code: 'FORBIDDEN' } });
  });

  test('a refusal by the machine itself is exit code 1', async () => {
    operate(
      cluster.api,
      [
        {
          kind: 'InferenceService',
          status: { phase: 'Pending', schedulingStatus: 'InsufficientMemory', schedulingMessage: 'needs 4 of 3' },
        },
      ],
      { name: NAME },
    );
    const { stderr, exitCode } = await deploy(...FITS);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'Error: insufficient memory: default/llama-3.2-3b was refused by the cluster: needs 4 of 3',
    );
  });

  test('the refusal of an agent is shown as it wrote it, with its own suggestion alone', async () => {
    const text = 'insufficient memory for it\n  Available budget: 3GB\n  Suggestion: reduce --ctx-size';
    const status = { phase: 'Pending', schedulingStatus: 'InsufficientMemory', schedulingMessage: text };
    operate(cluster.api, [{ kind: 'InferenceService', status }], { name: NAME });
    const { stderr, exitCode } = await deploy(...FITS);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'was refused by the cluster: insufficient memory for it\n  Available budget: 3GB\n  Suggestion: reduce --ctx-size\n',
    );
    expect(stderr.match(/^ {2}Suggestion/gm)).toHaveLength(1);
  });

  test('a cluster that does not know the kinds is exit code 4, with one sentence and what to do', async () => {
    const bare = await KubeApi.start({ crds: false });
    env.KUBECONFIG = await writeKubeconfig({ double: { server: bare.url } });
    const { stderr, exitCode } = await deploy(...FITS).finally(() => bare.close());
    expect(exitCode).toBe(4);
    expect(stderr).toContain("LLMKube's CRDs are not installed\n  Suggestion: install the LLMKube operator");
    expect(stderr).not.toContain('    at ');
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] satisfies [NodeJS.Signals, number][])(
    '%s stops the waiting and says that the deploy goes on',
    async (signal, exitCode) => {
      const ended = run(process.execPath, [RUN_JS, 'deploy', NAME, ...FITS], cliEnvironment(env), async (child) => {
        while (cluster.api.watches.size < 2) await new Promise((resolve) => setTimeout(resolve, 20));
        child.kill(signal);
      });
      const { stderr, exitCode: found } = await ended;
      expect(found).toBe(exitCode);
      expect(stderr).toContain(
        'Stopped waiting; the deploy goes on. See how it stands with: llmkube status llama-3.2-3b -n default',
      );
      expect(cluster.api.store.get(SERVICE)).toBeDefined();
    },
  );

  test('a signal before the cluster answers is no failure of the cluster, and says where to look', async () => {
    const silent = await HostileServer.start(CLUSTER_MODES['never answers']);
    const KUBECONFIG = await writeKubeconfig({ double: { server: silent.url } });
    const words = [RUN_JS, 'deploy', NAME, ...FITS];
    const { stderr, exitCode } = await run(process.execPath, words, cliEnvironment({ KUBECONFIG }), async (child) => {
      while (silent.requestCount === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      child.kill('SIGTERM');
    });
    await silent.close();
    expect(stderr).toBe(
      'Error: stopped by SIGTERM before the cluster answered\n  Suggestion: see what is there with: llmkube list\n',
    );
    expect(exitCode).toBe(143);
  });

  test('no environment variable turns the verification of certificates off', async () => {
    const secure = await KubeApi.start({ tls: LOOPBACK_TLS });
    const KUBECONFIG = await writeKubeconfig({ double: { server: secure.url } });
    const result = await run(
      process.execPath,
      [RUN_JS, 'deploy', NAME, ...FITS],
      cliEnvironment({ KUBECONFIG, NODE_TLS_REJECT_UNAUTHORIZED: '0' }),
    );
    expect(result.exitCode).toBe(4);
    expect(result.stderr).toContain(`the certificate of ${secure.url} was not accepted`);
    expect(secure.requests).toEqual([]);
    await secure.close();
  });

  test('secrets stay out of everything that is printed, with DEBUG too', async () => {
    const message = `spec.env[0].value: Invalid value: "${SECRET}"`;
    cluster.api.inject({
      method: 'PATCH',
      path: /inferenceservices/,
      failure: new ApiFailure(422, 'Invalid', message),
    });
    env.DEBUG = 'llmkube';
    const { stdout, stderr, exitCode } = await deploy(...FITS, '--env', `API_KEY=${SECRET}`);
    expect(exitCode).toBe(4);
    expect(stderr).toContain('"***"');
    expect(stdout + stderr).not.toContain(SECRET);
  });
});
