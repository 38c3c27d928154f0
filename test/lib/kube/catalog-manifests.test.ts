import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Ajv, type ValidateFunction } from 'ajv';
import { loadCatalog } from '../../../src/lib/catalog/load-catalog.js';
import { deployPlan } from '../../../src/lib/cli/deploy/plan-deploy.js';
import { deploySource } from '../../../src/lib/cli/deploy/deploy-source.js';
import { buildResources } from '../../../src/lib/kube/resources.js';
import { checkMemory } from '../../../src/lib/preflight/check-memory.js';
import type { CheckRequest } from '../../../src/lib/preflight/plan-check.js';
import { ACCELERATORS } from '../../../src/lib/runtime/launch-options.js';
import { readHeaderFor } from '../../../src/lib/source/model-header.js';

const GIB = 2 ** 30;
const catalog = await loadCatalog(undefined);

const FLAGS = {
  namespace: 'default',
  format: 'gguf',
  'skip-cache': false,
  'skip-model-init': false,
  'gpu-count': 1,
  'memory-check': 'warn',
  replicas: 1,
  runtime: 'llamacpp',
} as const;

function validator(file: string): ValidateFunction {
  const url = new URL(`../../../schemas/${file}.v1alpha1.schema.json`, import.meta.url);
  return new Ajv({ allErrors: true }).compile(JSON.parse(readFileSync(url, 'utf8')) as object);
}

const isModel = validator('model');
const isService = validator('inferenceservice');

/** Entries whose header does not ship are "unknown" offline, which is a manifest too. */
async function manifestsOf(id: string, accelerator: (typeof ACCELERATORS)[number]) {
  const request: CheckRequest = {
    model: id,
    accelerator,
    launch: {},
    extraArgs: [],
    machine: { systemMemoryBytes: 512 * GIB, inUseBytes: 0, gpuMemoryBytes: 512 * GIB },
    policy: {},
  };
  const check = await checkMemory(request, {
    loadCatalog: async () => catalog,
    readHeader: (model) => readHeaderFor(model, { offline: true }),
    measureHost: async () => ({
      source: 'given',
      totalBytes: 512 * GIB,
      inUseBytes: 0,
      gpus: [{ index: 0, name: '', totalBytes: 512 * GIB, usedBytes: 0 }],
      notes: [],
    }),
  });
  const source = await deploySource(check.source, { offline: true }, 'llamacpp');
  return buildResources(deployPlan({ model: id, flags: FLAGS, source, check, version: '1.0.0' }));
}

describe.each(ACCELERATORS)('the manifests of every catalogue entry on %s', (accelerator) => {
  test.each(catalog.map(({ id }) => id))('%s', async (id) => {
    const { model, service } = await manifestsOf(id, accelerator);
    isModel(model);
    expect(isModel.errors ?? []).toEqual([]);
    isService(service);
    expect(isService.errors ?? []).toEqual([]);
    expect(model.spec.hardware?.accelerator).toBe(accelerator);
    expect(service.spec.modelRef).toBe(model.metadata.name);
  });
});

test('the schemas do refuse what the API refuses', async () => {
  const { service } = await manifestsOf(catalog[0]?.id ?? '', 'cpu');
  expect(isService({ ...service, spec: { ...service.spec, replicas: 11 } })).toBe(false);
  expect(isService({ ...service, spec: { ...service.spec, bogus: 1 } })).toBe(false);
});

test('a split model is deployed as its repository and all its parts', async () => {
  const { model } = await manifestsOf('gpt-oss-120b', 'cpu');
  expect(model.spec.source).toBe('hf://ggml-org/gpt-oss-120b-GGUF');
  expect(model.spec.files).toEqual([
    'gpt-oss-120b-mxfp4-00001-of-00003.gguf',
    'gpt-oss-120b-mxfp4-00002-of-00003.gguf',
    'gpt-oss-120b-mxfp4-00003-of-00003.gguf',
  ]);
});
