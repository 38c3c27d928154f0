import { beforeEach, describe, expect, test } from '@jest/globals';
import { deployToCluster } from '../../../src/lib/kube/deploy/deploy.js';
import type { DeployPlan } from '../../../src/lib/kube/deploy/deploy-plan.js';
import { planFor } from '../../support/deploy/deploy-plans.js';
import { clusterOfEachTest } from '../../support/kube/cluster-of-each-test.js';
import type { JsonObject } from '../../support/kube/kube-types.js';
import { askCli } from '../../support/cli-session.js';
import { type CliResult } from '../../support/run-cli.js';

const KEY = { namespace: 'default', name: 'tiny' };

describe('what was deployed', () => {
  const cluster = clusterOfEachTest({ namespaces: ['default', 'team-a'] });

  async function deployed(changes: Partial<DeployPlan> = {}): Promise<void> {
    await deployToCluster(planFor(changes), { kubeconfig: cluster.kubeconfig, wait: false, timeoutMs: 1000 });
  }

  function llmkube(...words: string[]): Promise<CliResult> {
    return askCli([...words, '--kubeconfig', cluster.kubeconfig]);
  }

  test('list shows services with the verdict that let them in', async () => {
    await deployed();
    cluster.api.store.setStatus(
      { plural: 'inferenceservices', ...KEY },
      { phase: 'Ready', readyReplicas: 1, desiredReplicas: 1, endpoint: 'http://tiny' },
    );
    const { stdout, exitCode } = await llmkube('list');
    expect(exitCode).toBe(0);
    expect(stdout).toBe(
      'NAME   MODEL   PHASE   REPLICAS   CHECK   REASON   ENDPOINT\n' +
        'tiny   tiny    Ready   1/1        fits    -        http://tiny\n',
    );
  });

  test('list -A shows every namespace, list models the models', async () => {
    await deployed();
    await deployed({ namespace: 'team-a' });
    const services = await llmkube('list', '-A');
    expect(services.stdout.split('\n').map((line) => line.split(/\s+/).slice(0, 2))).toEqual([
      ['NAMESPACE', 'NAME'],
      ['default', 'tiny'],
      ['team-a', 'tiny'],
      [''],
    ]);
    cluster.api.store.setStatus({ plural: 'models', ...KEY }, { phase: 'Ready', size: '18.5 GiB' });
    const models = await llmkube('ls', 'models');
    expect(models.stdout).toMatch(
      /^NAME {3}PHASE {3}SIZE {7}ACCELERATOR {3}AGE\ntiny {3}Ready {3}18\.5 GiB {3}cpu {11}\d+s\n$/,
    );
  });

  test('an empty list says so on stderr and is an empty list in JSON', async () => {
    const text = await llmkube('list');
    expect([text.stdout, text.stderr, text.exitCode]).toEqual(['', 'No services in namespace default\n', 0]);
    const json = await llmkube('list', '--json');
    expect(JSON.parse(json.stdout)).toEqual({ services: [] });
  });

  test('status shows the recorded estimate beside what the cluster reports', async () => {
    await deployed();
    cluster.api.store.setStatus({ plural: 'models', ...KEY }, { phase: 'Ready', size: '18.5 GiB' });
    cluster.api.store.setStatus(
      { plural: 'inferenceservices', ...KEY },
      { phase: 'Pending', schedulingStatus: 'InsufficientMemory', schedulingMessage: 'needs 21 GiB of 18 GiB' },
    );
    const { stdout, exitCode } = await llmkube('status', 'tiny');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('  estimate     fits, 13GB of 20GB (--memory-check enforce, llmkube 1.2.3)\n');
    expect(stdout).toContain('  on the GPU   10GB of 24GB\n');
    expect(stdout).toContain('  holds for    8192 tokens in 4 slots\n');
    expect(stdout).toContain('  container    requests 5120Mi, can grow to 5GB\n');
    expect(stdout).toContain('  reported     InsufficientMemory: needs 21 GiB of 18 GiB\n');
    expect(stdout).toContain('  size         18.5 GiB\n');
  });

  test('status shows what the agent says line by line, and once', async () => {
    await deployed();
    const message =
      'insufficient memory for tiny (F16)\n  Estimated requirement: 21GB\n  Suggestion: reduce --ctx-size';
    const key = { plural: 'inferenceservices', ...KEY };
    const annotations = { 'inference.llmkube.dev/claimed-by': 'mac-1' };
    cluster.api.store.patch(key, { metadata: { annotations } }, 'llmkube-agent', { dryRun: false });
    const condition = {
      type: 'MemoryFit',
      status: 'False',
      reason: 'InsufficientMemory',
      message,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const scheduling = { schedulingStatus: 'InsufficientMemory', schedulingMessage: message };
    cluster.api.store.setStatus(key, { phase: 'Pending', ...scheduling, conditions: [condition] });
    const { stdout } = await llmkube('status', 'tiny');
    expect(stdout).toContain('  reported     InsufficientMemory\n');
    expect(stdout).toContain(
      '  memory       InsufficientMemory: insufficient memory for tiny (F16)\n' +
        '                 Estimated requirement: 21GB\n' +
        '                 Suggestion: reduce --ctx-size\n',
    );
  });

  describe('what others have set since decides the memory', () => {
    const foreign = { parallelSlots: 64, extraArgs: ['--ctx-size', '131072', '--api-key', 'opensesame'] };
    beforeEach(async () => {
      await deployed();
      cluster.api.store.patch({ plural: 'inferenceservices', ...KEY }, { spec: foreign }, 'kubectl-patch', {
        dryRun: false,
      });
    });

    test('status says that the check does not hold for it, and keeps its secrets', async () => {
      const { stdout } = await llmkube('status', 'tiny');
      expect(stdout).toContain(
        '  changed      since the check, which does not hold for it:\n' +
          '               InferenceService spec.parallelSlots = 64 (set by kubectl-patch)\n' +
          '               InferenceService spec.extraArgs = ["--ctx-size","131072","--api-key",***] (set by kubectl-patch)\n',
      );
    });

    test('list does not say that it fits', async () => {
      const [, row = ''] = (await llmkube('list')).stdout.split('\n');
      expect(row.split(/ +/)[4]).toBe('changed');
    });

    test('JSON names the fields and who set them', async () => {
      const field = { kind: 'InferenceService', owner: 'kubectl-patch' };
      const changed = [
        { ...field, field: 'spec.parallelSlots' },
        { ...field, field: 'spec.extraArgs' },
      ];
      expect(JSON.parse((await llmkube('status', 'tiny', '--json')).stdout)).toMatchObject({ changed });
      expect(JSON.parse((await llmkube('list', '--json')).stdout)).toMatchObject({ services: [{ changed }] });
    });

    test('a field that others have taken out is a change, by whomever', async () => {
      const spec = { contextSize: null, parallelSlots: null, extraArgs: null };
      cluster.api.store.patch({ plural: 'inferenceservices', ...KEY }, { spec }, 'kubectl-patch', { dryRun: false });
      const { stdout } = await llmkube('status', 'tiny');
      expect(stdout).toContain('hold for it:\n               InferenceService spec.contextSize was taken out\n');
      const changed = [{ kind: 'InferenceService', field: 'spec.contextSize', owner: null }];
      expect(JSON.parse((await llmkube('status', 'tiny', '--json')).stdout)).toMatchObject({ changed });
    });

    test('a deploy that gives the same values makes them its own, though nothing else changes', async () => {
      const launch = { accelerator: 'cpu', ctxSize: 8192, parallel: 64 } as const;
      const plan = planFor({ launch });
      cluster.api.store.patch({ plural: 'inferenceservices', ...KEY }, { spec: { extraArgs: null } }, 'kubectl-patch', {
        dryRun: false,
      });
      await deployToCluster(plan, { kubeconfig: cluster.kubeconfig, wait: false, timeoutMs: 1000 });
      expect((await llmkube('status', 'tiny')).stdout).not.toContain('changed');
    });

    test('what decides no memory is no change', async () => {
      const spec = { parallelSlots: null, extraArgs: null, replicas: 3, env: [{ name: 'TZ', value: 'UTC' }] };
      cluster.api.store.patch({ plural: 'inferenceservices', ...KEY }, { spec }, 'kubectl-patch', { dryRun: false });
      expect((await llmkube('status', 'tiny')).stdout).not.toContain('changed');
    });
  });

  test('status --json has the same as data', async () => {
    await deployed({ source: 'https://user:password@host.example/tiny.gguf' });
    const { stdout } = await llmkube('status', 'tiny', '--json');
    const status = JSON.parse(stdout) as { check: object; model: object; service: object };
    expect(status.check).toMatchObject({
      verdict: 'fits',
      mode: 'enforce',
      requiredBytes: 13 * 2 ** 30,
      budgetBytes: 20 * 2 ** 30,
    });
    expect(status.model).toMatchObject({ source: 'https://***@host.example/tiny.gguf', status: null });
    expect(status.service).toMatchObject({ model: 'tiny', status: null });
  });

  test.each(['status', 'delete'])('%s of what is not there is exit code 4', async (command) => {
    const { stderr, exitCode } = await llmkube(command, 'nothing');
    expect(exitCode).toBe(4);
    expect(stderr).toMatch(/^Error: there is no InferenceService "nothing" in namespace default\n {2}Suggestion: /);
  });

  test('delete takes away both', async () => {
    await deployed();
    const { stdout, exitCode } = await llmkube('delete', 'tiny');
    expect(exitCode).toBe(0);
    expect(stdout).toBe(
      'inferenceservice.inference.llmkube.dev/tiny deleted\nmodel.inference.llmkube.dev/tiny deleted\n',
    );
    expect([
      ...cluster.api.store.list('models', 'default'),
      ...cluster.api.store.list('inferenceservices', 'default'),
    ]).toEqual([]);
  });

  test.each<[string, JsonObject]>([
    ['another service uses', {}],
    [
      'drafts for another service',
      { modelRef: 'large', speculativeDecoding: { type: 'draft', draftModelRef: 'tiny' } },
    ],
    ['a service uses that is too large to be read whole', { extraArgs: ['x'.repeat(2 ** 19)] }],
  ])('delete keeps a model that %s', async (_, spec) => {
    await deployed();
    const service = cluster.api.store.require({ plural: 'inferenceservices', ...KEY });
    const other = {
      ...service,
      metadata: { name: 'other', namespace: 'default' },
      spec: { ...service.spec, ...spec },
    };
    cluster.api.store.create({ plural: 'inferenceservices', namespace: 'default', name: 'other' }, other, 'kubectl', {
      dryRun: false,
    });
    const { stdout } = await llmkube('rm', 'tiny');
    expect(stdout).toContain('model.inference.llmkube.dev/tiny kept: other still uses it\n');
    expect(cluster.api.store.get({ plural: 'models', ...KEY })).toBeDefined();
  });

  test('delete --purge-cache says how to remove the file', async () => {
    await deployed();
    cluster.api.store.setStatus({ plural: 'models', ...KEY }, { phase: 'Ready', cacheKey: '0123456789abcdef' });
    const { stdout } = await llmkube('delete', 'tiny', '--purge-cache');
    expect(stdout).toContain('rm -rf /models/0123456789abcdef\n');
  });
});

describe('without a kubeconfig, what to do is', () => {
  test.each([['list'], ['hosts'], ['status', 'tiny'], ['delete', 'tiny']])('to name one: %s', async (...words) => {
    const { stderr, exitCode } = await askCli(words);
    expect(stderr).toBe(
      'Error: no kubeconfig was found, so there is no cluster to talk to\n' +
        '  Suggestion: name one with --kubeconfig or KUBECONFIG\n',
    );
    expect(exitCode).toBe(4);
  });

  test('for a deploy, to print the manifests as well', async () => {
    const { stderr, exitCode } = await askCli([
      'deploy',
      'llama-3.2-3b',
      '--offline',
      '--accelerator',
      'cpu',
      '--system-memory',
      '64Gi',
    ]);
    expect(stderr).toContain(
      '  Suggestion: name one with --kubeconfig or KUBECONFIG, or print the manifests with --dry-run=client -o yaml\n',
    );
    expect(exitCode).toBe(4);
  });
});
