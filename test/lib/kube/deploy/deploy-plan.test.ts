import { describe, expect, test } from '@jest/globals';
import { UsageError } from '../../../../src/lib/errors.js';
import { checkPlan, type DeployPlan } from '../../../../src/lib/kube/deploy/deploy-plan.js';
import { ALL_GPU_LAYERS } from '../../../../src/lib/runtime/launch-options.js';
import { planFor } from '../../../support/deploy/deploy-plans.js';

const cpu = { accelerator: 'cpu' } as const;

describe('a plan that the API would refuse', () => {
  const refused: [Partial<DeployPlan>, string, RegExp][] = [
    [{ replicas: 11 }, 'OUT_OF_BOUNDS', /--replicas 11 is not allowed: .* 0 to 10$/],
    [{ replicas: -1 }, 'OUT_OF_BOUNDS', /--replicas -1/],
    [{ minReplicas: 0, maxReplicas: 2 }, 'OUT_OF_BOUNDS', /--min-replicas 0 .* 1 to 10$/],
    [{ maxReplicas: 101 }, 'OUT_OF_BOUNDS', /--max-replicas 101 .* 1 to 100$/],
    [{ minReplicas: 3, maxReplicas: 2 }, 'OUT_OF_BOUNDS', /--min-replicas 3 is above --max-replicas 2/],
    [{ minReplicas: 3 }, 'MAX_REPLICAS_MISSING', /--min-replicas has no effect without --max-replicas/],
    [{ autoscaleMetric: 'queue' }, 'MAX_REPLICAS_MISSING', /--autoscale-metric has no effect/],
    [{ nodePort: 8080 }, 'OUT_OF_BOUNDS', /--node-port 8080 .* 30000 to 32767$/],
    [{ containerPort: 65536 }, 'OUT_OF_BOUNDS', /--container-port 65536 .* 1 to 65535$/],
    [{ gpu: { count: 9 } }, 'OUT_OF_BOUNDS', /--gpu-count 9 .* 1 to 8$/],
    [{ gpu: { vendor: 'apple' } }, 'NOT_ALLOWED', /--gpu-vendor apple .* nvidia, amd, intel$/],
    [{ format: 'onnx' }, 'NOT_ALLOWED', /--format onnx .* gguf, mlx, safetensors, pytorch, custom$/],
    [{ runtime: 'ollama' }, 'NOT_ALLOWED', /--runtime ollama/],
    [{ runtime: 'generic' }, 'IMAGE_MISSING', /--runtime generic needs --image/],
    [{ launch: { ...cpu, ctxSize: 64 } }, 'OUT_OF_BOUNDS', /--ctx-size 64 .* 128 to 2097152$/],
    [{ launch: { ...cpu, parallel: 65 } }, 'OUT_OF_BOUNDS', /--parallel 65 .* 1 to 64$/],
    [{ launch: { ...cpu, batchSize: 16385 } }, 'OUT_OF_BOUNDS', /--batch-size 16385 .* 1 to 16384$/],
    [{ launch: { ...cpu, ubatchSize: 0 } }, 'OUT_OF_BOUNDS', /--ubatch-size 0 .* from 1 to 2147483647$/],
    [
      { launch: { accelerator: 'cuda', gpuLayers: 2 ** 31 } },
      'OUT_OF_BOUNDS',
      /--gpu-layers 2147483648 .* to 2147483647$/,
    ],
    [{ sha256: 'abc' }, 'INVALID_SHA256', /--sha256 "abc" .* 64 hexadecimal digits/],
    [{ cpu: 'two' }, 'INVALID_QUANTITY', /--cpu "two"/],
    [{ memory: '4GB' }, 'INVALID_QUANTITY', /--memory "4GB"/],
    [{ source: 'ftp://host/model.gguf' }, 'INVALID_SOURCE', /--source "ftp:/],
    [{ name: 'Upper_Case' }, 'INVALID_NAME', /"Upper_Case"/],
    [{ name: 'a'.repeat(64) }, 'INVALID_NAME', /at most 63/],
    [{ name: 'a'.repeat(58), launch: { accelerator: 'metal' } }, 'INVALID_NAME', /at most 57/],
    [{ namespace: 'with.dot' }, 'INVALID_NAMESPACE', /--namespace "with.dot"/],
    [{ env: [{ name: '1ST', value: 'secret' }] }, 'INVALID_ENV', /--env name "1ST"/],
  ];
  test.each(refused)('%j', (changes, code, message) => {
    let error: unknown;
    try {
      checkPlan(planFor(changes));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).code).toBe(code);
    expect((error as UsageError).message).toMatch(message);
    expect(String(error)).not.toContain('secret');
  });

  const allowed: Partial<DeployPlan>[] = [
    { replicas: 0 },
    { replicas: 10 },
    { minReplicas: 1, maxReplicas: 1 },
    { nodePort: 32767 },
    { name: 'qwen-2.5-coder-32b' },
    { source: '/models/tiny.gguf' },
    { source: 'pvc://claim/tiny.gguf' },
    { source: 'hf://owner/repo' },
    { memory: '1.5Gi', cpu: '500m' },
    { launch: { ...cpu, ctxSize: 0, gpuLayers: -1 } },
    { launch: { accelerator: 'cuda', gpuLayers: ALL_GPU_LAYERS } },
    { launch: { ...cpu, ctxSize: 2097152, parallel: 64, batchSize: 16384 } },
  ];
  test.each(allowed)('but %j is allowed', (changes) => {
    expect(() => checkPlan(planFor(changes))).not.toThrow();
  });
});
