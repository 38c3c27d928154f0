import { describe, expect, test } from '@jest/globals';
import { describeEndpoint } from '../../../../src/lib/kube/deploy/endpoint.js';
import { buildResources } from '../../../../src/lib/kube/resources.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { planFor } from '../../../support/deploy/deploy-plans.js';

const serviceNamed = (name: string, launch: LaunchOptions = { accelerator: 'cpu' }) =>
  buildResources(planFor({ name, launch })).service;

describe('where a service answers', () => {
  test('dots of a name are dashes in the name of its Service', () => {
    const { url, tryIt } = describeEndpoint(serviceNamed('qwen-2.5'), { metal: false });
    expect(url).toBe('http://qwen-2-5.default.svc.cluster.local:8080/v1/chat/completions');
    expect(tryIt[0]).toBe('kubectl port-forward -n default svc/qwen-2-5 8080:8080');
  });

  test('what the cluster reports wins', () => {
    const service = { ...serviceNamed('tiny'), status: { endpoint: 'http://elsewhere:9000/v1' } };
    expect(describeEndpoint(service, { metal: false }).url).toBe('http://elsewhere:9000/v1');
  });

  test('the same cluster is named in the call', () => {
    const { tryIt } = describeEndpoint(serviceNamed('tiny'), { metal: false, kubeconfig: '/k', context: 'c' });
    expect(tryIt[0]).toBe('kubectl --kubeconfig /k --context c port-forward -n default svc/tiny 8080:8080');
  });

  test('a server on a Mac has no pod to forward to, so the call is made in the cluster', () => {
    const { tryIt } = describeEndpoint(serviceNamed('tiny'), { metal: true });
    expect(tryIt).toHaveLength(1);
    expect(tryIt[0]).toMatch(/^kubectl run -n default .* curl http:\/\/tiny\.default\.svc\.cluster\.local:8080/);
  });

  test('the call fits the mode', () => {
    const service = serviceNamed('tiny', { accelerator: 'cpu', mode: 'embedding' });
    expect(describeEndpoint(service, { metal: false }).tryIt[1]).toContain(
      `/v1/embeddings -H 'Content-Type: application/json' -d '{"input":"hello"}'`,
    );
  });
});
