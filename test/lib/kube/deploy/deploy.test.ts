import { beforeEach, describe, expect, test } from '@jest/globals';
import type { LlmkubeError } from '../../../../src/lib/errors.js';
import { deployToCluster, type DeployOptions, type DeployOutcome } from '../../../../src/lib/kube/deploy/deploy.js';
import type { DeployPlan } from '../../../../src/lib/kube/deploy/deploy-plan.js';
import { eventLine } from '../../../../src/lib/report/text/deploy-text.js';
import { planFor } from '../../../support/deploy/deploy-plans.js';
import { KubeApi } from '../../../support/kube/kube-api.js';
import { clusterOfEachTest } from '../../../support/kube/cluster-of-each-test.js';
import { writeKubeconfig } from '../../../support/kube/kubeconfig-file.js';

const SERVICE = { plural: 'inferenceservices', namespace: 'default', name: 'tiny' };
const MODEL = { plural: 'models', namespace: 'default', name: 'tiny' };

describe('deploying to a cluster', () => {
  const cluster = clusterOfEachTest();
  let lines: string[];

  beforeEach(async () => {
    lines = [];
  });

  function deploy(options: Partial<DeployOptions> = {}, changes: Partial<DeployPlan> = {}): Promise<DeployOutcome> {
    return deployToCluster(planFor(changes), {
      kubeconfig: cluster.kubeconfig,
      wait: false,
      timeoutMs: 1000,
      onEvent: (event) => void lines.push(eventLine(event, false)),
      ...options,
    });
  }

  test('--from-cache refuses a source that no model has fetched, and takes one that has', async () => {
    const error = (await deploy({ fromCache: true }).catch((thrown: unknown) => thrown)) as LlmkubeError;
    expect([error.code, error.exitCode]).toEqual(['MODEL_NOT_CACHED', 4]);
    // From: printf %s https://host.example/tiny.gguf | sha256sum
    expect(error.message).toContain('(key 479ce23df6e9e00d)');
    expect(cluster.api.writes).toEqual([]);
    await deploy();
    cluster.api.store.setStatus(MODEL, { phase: 'Ready' });
    expect((await deploy({ fromCache: true })).state).toBe('applied');
  });

  test('a namespace of the kubeconfig that is not the one deployed to is mentioned', async () => {
    const other = await writeKubeconfig({ double: { server: cluster.api.url, namespace: 'team-a' } });
    await deploy({ kubeconfig: other, namespaceIsDefault: true });
    expect(lines[0]).toContain('-n team-a');
    lines = [];
    await deploy({ kubeconfig: other, namespaceIsDefault: false });
    expect(lines).toEqual([
      'model.inference.llmkube.dev/tiny unchanged',
      'inferenceservice.inference.llmkube.dev/tiny unchanged',
    ]);
  });

  test('a plan that the API would refuse reaches no cluster', async () => {
    const refused = deployToCluster(planFor({ replicas: 11 }), {
      kubeconfig: cluster.kubeconfig,
      wait: false,
      timeoutMs: 1000,
    });
    await expect(refused).rejects.toMatchObject({ code: 'OUT_OF_BOUNDS', exitCode: 2 });
    expect(cluster.api.requests).toEqual([]);
  });

  test('an interruption while it is applied takes back what it created, and says so', async () => {
    const interrupt = new AbortController();
    const onEvent = () => interrupt.abort();
    const error = (await deploy({ signal: interrupt.signal, onEvent }).catch(
      (thrown: unknown) => thrown,
    )) as LlmkubeError;
    expect(error.code).toBe('INTERRUPTED');
    expect(error.message).toContain('the Model default/tiny that this run had created was removed again');
    expect(cluster.api.store.list('models', 'default')).toEqual([]);
  });

  describe('when others set what decides what llama-server allocates', () => {
    const foreign = { parallelSlots: 64, cacheTypeK: 'f32', env: [{ name: 'LLAMA_ARG_CTX_SIZE', value: '131072' }] };
    beforeEach(async () => {
      await deploy();
      cluster.api.store.patch(SERVICE, { spec: foreign }, 'kubectl-patch', { dryRun: false });
    });

    test('nothing is deployed: what would run was not checked', async () => {
      const version = cluster.api.store.version;
      const error = (await deploy({}, { jinja: true }).catch((thrown: unknown) => thrown)) as LlmkubeError;
      expect([error.code, error.exitCode]).toEqual(['FOREIGN_LAUNCH_FIELDS', 3]);
      expect(error.message).toContain('InferenceService spec.parallelSlots = 64 (set by kubectl-patch)');
      expect(error.message).toContain('InferenceService spec.cacheTypeK = "f32" (set by kubectl-patch)');
      expect(error.message).toContain('LLAMA_ARG_CTX_SIZE');
      expect(cluster.api.store.version).toBe(version);
    });

    test('with --memory-check warn it is said', async () => {
      const verdict = planFor().check.verdict;
      const check = { mode: 'warn', version: '1.2.3', ...(verdict && { verdict }) } as const;
      expect((await deploy({}, { check })).state).toBe('applied');
      expect(lines).toContainEqual(expect.stringContaining('spec.parallelSlots = 64'));
    });

    test('the same values, given as flags, are what was checked', async () => {
      cluster.api.store.patch(SERVICE, { spec: { cacheTypeK: null, env: null } }, 'kubectl-patch', { dryRun: false });
      expect((await deploy({}, { launch: { accelerator: 'cpu', ctxSize: 8192, parallel: 64 } })).state).toBe('applied');
    });
  });

  test('an operator that knows resources.memoryLimit gets it', async () => {
    const newer = await KubeApi.start({ knowsMemoryLimit: true });
    await deploy({ kubeconfig: await writeKubeconfig({ double: { server: newer.url } }) });
    expect(newer.store.get(SERVICE)?.spec?.resources).toEqual({ cpu: '2', memory: '3072Mi', memoryLimit: '5120Mi' });
    await newer.close();
  });

  test('a model of several parts on a Mac: the agent there fetches one', async () => {
    const files = ['a-00001-of-00002.gguf', 'a-00002-of-00002.gguf'];
    await deploy({}, { source: 'hf://o/r', files, launch: { accelerator: 'metal', ctxSize: 8192 } });
    expect(lines[0]).toContain('this model has 2 parts');
  });
});
