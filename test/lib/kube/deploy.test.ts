import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { LlmkubeError } from '../../../src/lib/errors.js';
import { deployToCluster, type DeployOptions, type DeployOutcome } from '../../../src/lib/kube/deploy.js';
import { eventLine } from '../../../src/lib/report/deploy-text.js';
import { planFor } from '../../support/deploy-plans.js';
import { KubeApi } from '../../support/kube-api.js';
import { writeKubeconfig } from '../../support/kubeconfig-file.js';

const MODEL = { plural: 'models', namespace: 'default', name: 'tiny' };

describe('deploying to a cluster', () => {
  let api: KubeApi;
  let kubeconfig: string;
  let lines: string[];

  beforeEach(async () => {
    api = await KubeApi.start();
    kubeconfig = await writeKubeconfig({ double: { server: api.url } });
    lines = [];
  });
  afterEach(() => api.close());

  function deploy(options: Partial<DeployOptions> = {}): Promise<DeployOutcome> {
    return deployToCluster(planFor(), {
      kubeconfig,
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
    expect(api.writes).toEqual([]);
    await deploy();
    api.store.setStatus(MODEL, { phase: 'Ready' });
    expect((await deploy({ fromCache: true })).state).toBe('applied');
  });

  test('a namespace of the kubeconfig that is not the one deployed to is mentioned', async () => {
    const other = await writeKubeconfig({ double: { server: api.url, namespace: 'team-a' } });
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
    const refused = deployToCluster(planFor({ replicas: 11 }), { kubeconfig, wait: false, timeoutMs: 1000 });
    await expect(refused).rejects.toMatchObject({ code: 'OUT_OF_BOUNDS', exitCode: 2 });
    expect(api.requests).toEqual([]);
  });

  test('an interruption while it is applied takes back what it created, and says so', async () => {
    const interrupt = new AbortController();
    const onEvent = () => interrupt.abort();
    const error = (await deploy({ signal: interrupt.signal, onEvent }).catch(
      (thrown: unknown) => thrown,
    )) as LlmkubeError;
    expect(error.code).toBe('INTERRUPTED');
    expect(error.message).toContain('the Model default/tiny that this run had created was removed again');
    expect(api.store.list('models', 'default')).toEqual([]);
  });
});
