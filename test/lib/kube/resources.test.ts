import { describe, expect, test } from '@jest/globals';
import { buildResources, exactQuantity } from '../../../src/lib/kube/resources.js';
import type { Accelerator } from '../../../src/lib/runtime/launch-options.js';
import { planFor, RESOLVED, verdictOf } from '../../support/deploy/deploy-plans.js';

describe('the resources of a plan', () => {
  test('a CPU service asks for what its container can grow to, which the operator makes its limit', () => {
    const { model, service } = buildResources(planFor());
    expect(model.spec).toEqual({
      source: 'https://host.example/tiny.gguf',
      format: 'gguf',
      hardware: { accelerator: 'cpu' },
      resources: { cpu: '2', memory: '5120Mi' },
    });
    expect(service.spec).toEqual({
      modelRef: 'tiny',
      image: 'ghcr.io/ggml-org/llama.cpp:server',
      endpoint: { port: 8080, path: '/v1/chat/completions', type: 'ClusterIP' },
      resources: { cpu: '2', memory: '5120Mi' },
      contextSize: 8192,
    });
    expect(service.metadata.annotations).toEqual({
      'inference.llmkube.dev/memory-check-verdict': 'fits',
      'inference.llmkube.dev/memory-check-mode': 'enforce',
      'inference.llmkube.dev/memory-check-version': '1.2.3',
      'inference.llmkube.dev/memory-check-llama-cpp': 'v0.5.0',
      'inference.llmkube.dev/memory-check-context-size': '8192',
      'inference.llmkube.dev/memory-check-slots': '4',
      'inference.llmkube.dev/memory-check-required-bytes': String(13 * 2 ** 30),
      'inference.llmkube.dev/memory-check-budget-bytes': String(20 * 2 ** 30),
      'inference.llmkube.dev/memory-check-gpu-required-bytes': String(10 * 2 ** 30),
      'inference.llmkube.dev/memory-check-gpu-budget-bytes': String(24 * 2 ** 30),
      'inference.llmkube.dev/memory-check-container-limit-bytes': String(5 * 2 ** 30),
      'inference.llmkube.dev/memory-check-fields': 'spec.modelRef,spec.contextSize',
    });
    const { annotations, ...metadata } = service.metadata;
    const fields = { 'inference.llmkube.dev/memory-check-fields': 'spec.source,spec.hardware.accelerator' };
    expect(model.metadata).toEqual({ ...metadata, annotations: { ...annotations, ...fields } });
  });

  test('where the API has a limit, what is held when loaded is asked for, and growth is the limit', () => {
    const { model, service } = buildResources(planFor(), true);
    expect(service.spec.resources).toEqual({ cpu: '2', memory: '3072Mi', memoryLimit: '5120Mi' });
    expect(model.spec.resources).toEqual({ cpu: '2', memory: '3072Mi' });
  });

  test('a part of a mebibyte is asked for as a whole one', () => {
    const parts = [{ name: 'weights', of: 'model', device: 'host', bytes: 2 ** 30 + 1, accuracy: 'exact' }] as const;
    const { service } = buildResources(
      planFor({ check: { mode: 'enforce', version: '1', verdict: verdictOf({ parts, growth: [] }) } }),
    );
    expect(service.spec.resources?.memory).toBe('1025Mi');
  });

  test("the user's --memory is never overridden", () => {
    const { model, service } = buildResources(planFor({ memory: '1Gi', defaultMemory: '8Gi' }));
    expect([model.spec.resources?.memory, service.spec.resources?.memory]).toEqual(['1Gi', '1Gi']);
  });

  test('without a check the catalogue says how much memory, or else 4Gi', () => {
    const check = { mode: 'off', version: '1.2.3' } as const;
    expect(buildResources(planFor({ check, defaultMemory: '8Gi' })).service.spec.resources?.memory).toBe('8Gi');
    const { service } = buildResources(planFor({ check }));
    expect(service.spec.resources?.memory).toBe('4Gi');
    expect(service.metadata.annotations).toEqual({
      'inference.llmkube.dev/memory-check-verdict': 'skipped',
      'inference.llmkube.dev/memory-check-mode': 'off',
      'inference.llmkube.dev/memory-check-version': '1.2.3',
      'inference.llmkube.dev/memory-check-fields': 'spec.modelRef,spec.contextSize',
    });
  });

  test('a check that could not be completed is recorded with its reason', () => {
    const verdict = {
      kind: 'unknown',
      code: 'SOURCE_UNSUPPORTED',
      reason: 'pvc:// cannot be read',
      warnings: [],
    } as const;
    const { model } = buildResources(planFor({ check: { mode: 'warn', version: '1', verdict } }));
    expect(model.metadata.annotations).toMatchObject({
      'inference.llmkube.dev/memory-check-verdict': 'unknown',
      'inference.llmkube.dev/memory-check-mode': 'warn',
      'inference.llmkube.dev/memory-check-reason': 'SOURCE_UNSUPPORTED: pvc:// cannot be read',
    });
  });

  test('a growth without bound leaves the limit out', () => {
    const verdict = verdictOf({ growth: [{ name: 'prompt-cache', of: 'model', device: 'host', maxBytes: Infinity }] });
    const { metadata } = buildResources(planFor({ check: { mode: 'enforce', version: '1', verdict } })).service;
    expect(metadata.annotations).not.toHaveProperty(['inference.llmkube.dev/memory-check-container-limit-bytes']);
  });

  test('Metal gets a GPU and no container memory, since the agent runs it on the Mac', () => {
    const plan = planFor({
      launch: { accelerator: 'metal', ctxSize: 8192 },
      memoryFraction: 0.5,
      memoryBudgetBytes: 24 * 2 ** 30,
    });
    const { model, service } = buildResources(plan);
    expect(model.spec.hardware).toEqual({
      accelerator: 'metal',
      gpu: { enabled: true, count: 1, layers: 33 },
      memoryBudget: '24Gi',
      memoryFraction: 0.5,
    });
    expect(service.spec.resources).toEqual({ cpu: '2', gpu: 1 });
    expect(service.spec).not.toHaveProperty('image');
  });

  const discrete: [Accelerator, string, string][] = [
    ['cuda', 'nvidia', 'ghcr.io/ggml-org/llama.cpp:server-cuda13'],
    ['rocm', 'amd', 'ghcr.io/ggml-org/llama.cpp:server-rocm'],
    ['vulkan', 'amd', 'ghcr.io/ggml-org/llama.cpp:server-vulkan'],
    ['intel', 'intel', 'ghcr.io/ggml-org/llama.cpp:server-intel'],
  ];
  test.each(discrete)('%s asks for a GPU of %s and takes its image', (accelerator, vendor, image) => {
    const plan = planFor({ launch: { accelerator, gpuLayers: 20 }, gpu: { count: 2, memory: '24Gi' } });
    const { model, service } = buildResources(plan);
    expect(model.spec.hardware?.gpu).toEqual({ enabled: true, count: 2, vendor, layers: 20, memory: '24Gi' });
    expect(service.spec.image).toBe(image);
    expect(service.spec.resources).toEqual({ cpu: '2', memory: '5120Mi', gpu: 2, gpuMemory: '24Gi' });
  });

  test('what else the flags say ends up in its field', () => {
    const { model, service } = buildResources(
      planFor({
        files: ['a-00001-of-00002.gguf', 'a-00002-of-00002.gguf'],
        sha256: 'a'.repeat(64),
        quantization: 'Q4_K_M',
        image: 'registry.example/server:1',
        runtime: 'generic',
        containerPort: 9000,
        skipModelInit: true,
        command: ['serve'],
        args: ['--port', '9000'],
        env: [{ name: 'A', value: 'b' }],
        replicas: 2,
        minReplicas: 1,
        maxReplicas: 4,
        autoscaleMetric: 'queue',
        nodePort: 30080,
        jinja: true,
      }),
    );
    expect(model.spec).toMatchObject({
      files: ['a-00001-of-00002.gguf', 'a-00002-of-00002.gguf'],
      sha256: 'a'.repeat(64),
      quantization: 'Q4_K_M',
    });
    expect(service.spec).toMatchObject({
      image: 'registry.example/server:1',
      runtime: 'generic',
      containerPort: 9000,
      skipModelInit: true,
      command: ['serve'],
      args: ['--port', '9000'],
      env: [{ name: 'A', value: 'b' }],
      replicas: 2,
      autoscaling: {
        minReplicas: 1,
        maxReplicas: 4,
        metrics: [{ type: 'Pods', name: 'queue', targetAverageValue: '2' }],
      },
      endpoint: { port: 8080, path: '/v1/chat/completions', type: 'NodePort', nodePort: 30080 },
      jinja: true,
    });
  });

  const modes: ['embedding' | 'rerank', string][] = [
    ['embedding', '/v1/embeddings'],
    ['rerank', '/v1/rerank'],
  ];
  test.each(modes)('mode %s is named and served at %s', (mode, path) => {
    const { service } = buildResources(planFor({ launch: { accelerator: 'cpu', mode } }));
    expect(service.spec).toMatchObject({ mode, endpoint: { path } });
  });

  test('a runtime that is not llama-server takes the image of its operator', () => {
    expect(buildResources(planFor({ runtime: 'vllm' })).service.spec).not.toHaveProperty('image');
  });

  test('on Metal all layers are named even when nothing was checked, since -1 there means what fits', () => {
    const plan = planFor({ launch: { accelerator: 'metal' }, check: { mode: 'off', version: '1' } });
    expect(buildResources(plan).model.spec.hardware?.gpu?.layers).toBe(999);
  });

  test('more layers than "all" means to the operator are named', () => {
    const verdict = verdictOf({ resolved: { ...RESOLVED, gpuLayers: 127 } });
    const plan = planFor({ launch: { accelerator: 'cuda' }, check: { mode: 'enforce', version: '1', verdict } });
    expect(buildResources(plan).model.spec.hardware?.gpu?.layers).toBe(127);
  });
});

test.each([
  [24 * 2 ** 30, '24Gi'],
  [1536 * 2 ** 20, '1536Mi'],
  [2 ** 30 + 1, '1073741825'],
  [3 * 2 ** 10, '3Ki'],
  [2 ** 41, '2Ti'],
])('%i bytes are the quantity %s', (bytes, quantity) => {
  expect(exactQuantity(bytes)).toBe(quantity);
});
