import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LlmkubeError } from '../../../src/lib/errors.js';
import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import type { GgufHeader, MetadataValue } from '../../../src/lib/gguf/header.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import type { ModelShape } from '../../../src/lib/model/model-shape.js';
import { profileHeader, readProfile } from '../../support/models/profile.js';

const HEADERS = [
  'llama-3.1-8b.Q4_K_M',
  'qwen3.6-35b-a3b.Q4_K_M',
  'deepseek2-deepseek-v3',
  'gemma-3-4b.Q5_K_M',
  'qwen35-qwen3.5-27b-mtp',
  'step35-step-3.5-flash.Q4_K_M',
  'lfm2-1.2b.Q4_K_M',
  'nanbeige-nanbeige4.2-3b.Q4_K_M',
  't5-flan-t5-large.Q8_0',
  'rwkv7-rwkv7-world-2.9b.Q4_K_M',
].map((name) => profileHeader(readProfile(`test/oracle/profiles/${name}.json`)));

/** What a header may be made to say: a number that is near, at a limit, or far off. */
const CHANGES: readonly ((value: number) => number)[] = [
  () => 0,
  () => 1,
  (value) => value - 1,
  (value) => value + 1,
  (value) => value * 2,
  () => 512,
  () => 2 ** 31,
  () => 2 ** 32 - 1,
];

function changed(header: GgufHeader, at: number, change: (value: number) => number): GgufHeader {
  const numbers = [...header.metadata].filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  const [key, value] = numbers[at % numbers.length] ?? ['', 0];
  return { ...header, metadata: new Map<string, MetadataValue>([...header.metadata, [key, change(value)]]) };
}

/** The bytes that llama.cpp's loader reads: of all blocks that are run, and of what is outside of blocks. */
function readByLoader({ tensors, hparams }: ModelShape): number {
  const block = (name: string): number => Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? -1);
  return [...tensors.values()].reduce((sum, { name, bytes }) => sum + (block(name) < hparams.nLayer ? bytes : 0), 0);
}

describe('what is counted of weights', () => {
  test('is never below the bytes that the loader reads, whatever a header says of itself', () => {
    let estimated = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...HEADERS),
        fc.nat(40),
        fc.constantFrom(...CHANGES),
        fc.constantFrom('metal', 'cpu', 'cuda'),
        (header, at, change, accelerator) => {
          try {
            const shape = describeModel(changed(header, at, change));
            const { parts } = estimateMemory(shape, { accelerator, ctxSize: 512 });
            const weights = parts.filter(({ name }) => name.startsWith('weights'));
            expect(weights.reduce((sum, { bytes }) => sum + bytes, 0)).toBeGreaterThanOrEqual(readByLoader(shape));
            estimated++;
          } catch (error) {
            // Refused, with a reason.
            if (!(error instanceof LlmkubeError)) throw error;
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(estimated).toBeGreaterThan(30);
  });
});
