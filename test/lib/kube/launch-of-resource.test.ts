import { expect, test } from '@jest/globals';
import { fieldsOfLaunch, recordedFields, withRecordedFields } from '../../../src/lib/kube/launch-of-resource.js';
import { aModel, aService } from '../agent/objects.js';

const FIELDS = 'inference.llmkube.dev/memory-check-fields';

test.each([
  ...['modelRef', 'runtime', 'mode', 'contextSize', 'parallelSlots', 'batchSize', 'uBatchSize', 'flashAttention'],
  ...['cacheTypeK', 'cacheTypeV', 'cacheTypeCustomK', 'cacheTypeCustomV', 'turboQuantBits', 'moeCPUOffload'],
  ...['moeCPULayers', 'noKvOffload', 'tensorOverrides', 'metadataOverrides', 'ropeScaling', 'speculativeDecoding'],
  ...['extraArgs', 'command', 'args'],
])('spec.%s of a service decides what llama-server allocates', (name) => {
  const service = { ...aService(), spec: { ...aService().spec, [name]: 'x' } };
  expect(fieldsOfLaunch(service).find(({ field }) => field === `spec.${name}`)?.value).toBe('x');
});

test('so do the resources of a service, and which file a Model names for which hardware', () => {
  const resources = { memoryLimit: '8Gi', hostMemory: '9Gi' };
  const service = { ...aService(), spec: { ...aService().spec, resources } } as ReturnType<typeof aService>;
  const has = (resource: Parameters<typeof fieldsOfLaunch>[0]) =>
    fieldsOfLaunch(resource).flatMap(({ field, value }) => (value === undefined ? [] : field));
  expect(has(service)).toEqual(['spec.modelRef', 'spec.resources.memoryLimit', 'spec.resources.hostMemory']);
  const model = aModel({ gpu: { enabled: true, count: 1, layers: 20 } });
  expect(has({ ...model, spec: { ...model.spec, files: ['a'], mmproj: 'p' } })).toEqual([
    ...['spec.source', 'spec.files', 'spec.mmproj', 'spec.hardware.accelerator'],
    ...['spec.hardware.gpu.enabled', 'spec.hardware.gpu.count', 'spec.hardware.gpu.layers'],
  ]);
});

test('of the environment count the variables that llama-server or ggml reads', () => {
  const env = ['LLAMA_ARG_CTX_SIZE', 'GGML_CUDA_FORCE_MMQ', 'HOME', 'MY_LLAMA_ARG_X'].map((name) => ({
    name,
    value: '1',
  }));
  const of = (variables: typeof env) =>
    fieldsOfLaunch(aService({ env: variables })).find(({ field }) => field === 'spec.env')?.value;
  expect(of(env)).toEqual(env.slice(0, 2));
  expect([of(env.slice(2)), of([])]).toEqual([undefined, undefined]);
});

test('what a resource had is recorded by name, and what is no field of a launch is not believed', () => {
  const service = withRecordedFields(aService({ contextSize: 512, extraArgs: ['--jinja'] }, { other: 'kept' }));
  expect(service.metadata.annotations).toEqual({
    other: 'kept',
    [FIELDS]: 'spec.modelRef,spec.contextSize,spec.extraArgs',
  });
  expect(recordedFields(service)).toEqual(['spec.modelRef', 'spec.contextSize', 'spec.extraArgs']);
  expect(recordedFields(aService({}, { [FIELDS]: 'spec.contextSize,spec.replicas,x' }))).toEqual(['spec.contextSize']);
  expect(recordedFields(aService())).toEqual([]);
});
