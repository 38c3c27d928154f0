import { expect, test } from '@jest/globals';
import { join } from 'node:path';
import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import { type MemoryEstimate, totalBytes } from '../../../src/lib/estimate/memory-estimate.js';
import { type GgmlType, ggmlTypeByName, rowBytes } from '../../../src/lib/gguf/ggml-types.js';
import type { GgufHeader, GgufTensor } from '../../../src/lib/gguf/header.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import type { LaunchOptions } from '../../../src/lib/runtime/launch-options.js';
import { PROFILES } from '../../oracle/cases.js';
import { profileHeader, readProfile } from '../../support/profile.js';

const launch: LaunchOptions = { accelerator: 'metal', ctxSize: 8192 };

/** Granite's header, as if of another architecture. */
function graniteAs(architecture: string, more: readonly GgufTensor[] = []): GgufHeader {
  const header = profileHeader(readProfile(join(PROFILES, 'granite-granite-4.1-30b.Q4_K_M.json')));
  const metadata = new Map(
    [...header.metadata].map(([key, value]) => [key.replace(/^granite\./, `${architecture}.`), value]),
  );
  return {
    ...header,
    metadata: metadata.set('general.architecture', architecture),
    tensors: [...header.tensors, ...more],
  };
}

function estimate(header: GgufHeader, more: Partial<LaunchOptions> = {}): MemoryEstimate {
  return estimateMemory(describeModel(header), { ...launch, ...more });
}

function bytesOf({ parts }: MemoryEstimate, name: string): number {
  return parts.filter((part) => part.name === name).reduce((sum, { bytes }) => sum + bytes, 0);
}

test('an architecture that llama.cpp knows and that is not described here ends in a bound, and says so', () => {
  const bound = estimate(graniteAs('graniteswitch'));
  expect(bound.notes.join()).toContain('"graniteswitch" is not described here');
  const accuracies = new Map(bound.parts.map(({ name, accuracy }) => [name, accuracy]));
  expect(accuracies.get('kv-cache')).toBe('bound');
  expect(accuracies.get('compute')).toBe('bound');
  expect(accuracies.get('weights')).toBe('exact');
  expect(totalBytes(bound)).toBeGreaterThan(totalBytes(estimate(graniteAs('granite'))));
});

test('the bound counts a row of logits for every token of a batch where llama.cpp computed that, until June 2026', () => {
  const vocabulary = 100352;
  const [june, now] = ['b9453', 'v0.5.0'].map((llamaCpp) =>
    bytesOf(estimate(graniteAs('graniteswitch'), { llamaCpp }), 'compute'),
  );
  expect((june ?? 0) - (now ?? 0)).toBeGreaterThanOrEqual((512 - 4) * vocabulary * 4);
});

test("Granite Switch's router has a cache of one head beside the layers'", () => {
  const cacheOf = (name: string): number => bytesOf(estimate(graniteAs(name)), 'kv-cache');
  const headSize = 128;
  expect(cacheOf('graniteswitch') - cacheOf('granite')).toBe(2 * headSize * 8192 * 2);
});

test('a table of which a token reads one row adds nothing to the bound of the compute buffers', () => {
  const type = ggmlTypeByName('Q8_0') as GgmlType;
  const rows = 262144;
  const table: GgufTensor = {
    name: 'per_layer_token_embd.weight',
    dims: [8960, rows],
    type,
    bytes: rowBytes(type, 8960) * rows,
    offsetBytes: 2 ** 40,
    file: 0,
  };
  const [without, added] = [[], [table]].map((more) => bytesOf(estimate(graniteAs('graniteswitch', more)), 'compute'));
  expect(added).toBe(without);
});

test('an architecture of which it is not known what llama.cpp caches is not sized at all', () => {
  const shape = describeModel(graniteAs('glm5-next'));
  expect(() => estimateMemory(shape, launch)).toThrow(
    expect.objectContaining({ code: 'MODEL_CACHE_UNKNOWN', exitCode: 3 }),
  );
});
