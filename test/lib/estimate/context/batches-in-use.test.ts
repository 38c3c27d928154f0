import { expect, test } from '@jest/globals';
import { batchesInUse, isSplit } from '../../../../src/lib/estimate/context/batches-in-use.js';

type InUse = Parameters<typeof batchesInUse>[0];

/** Four slots of 2048 tokens each, all on the GPU. */
const params = {
  ...{ nCtx: 8192, nCtxSeq: 2048, nBatch: 2048, nUbatch: 512, nSeqMax: 4, kvUnified: false },
  role: { target: null, outputsPerSlot: 1 },
};
const onGpu = { hasGpu: true, fullOffload: true, hasOverrides: false };
const batches = (
  more: object = {},
  { placement = onGpu, compressed = undefined as object | undefined, encodes = false } = {},
) =>
  batchesInUse({
    params: { ...params, ...more },
    placement,
    memory: { compressed },
    graph: { encodes },
  } as unknown as InUse);

const prompt = [512, 1024, 1536, 2048].map((cells) => ({
  tokens: 512,
  outputs: cells === 2048 ? 1 : 0,
  nSeqs: 1,
  cells,
}));

test('a prompt is computed part by part, the last with an output, then a token of each slot', () => {
  const token = { tokens: 4, outputs: 4, nSeqs: 4, cells: 2 };
  expect(batches()).toEqual([...prompt, token]);
  // Slots that share a cache fill it together; what is drafted is computed with the token before it, as far as a batch goes.
  expect(batches({ kvUnified: true }).at(-1)).toEqual({ ...token, cells: 8 });
  const drafting = { target: null, outputsPerSlot: 5 };
  expect(batches({ role: drafting }).at(-1)).toEqual({ tokens: 20, outputs: 20, nSeqs: 4, cells: 6 });
  expect(batches({ role: drafting, nUbatch: 16 }).at(-1)).toEqual({ tokens: 16, outputs: 16, nSeqs: 4, cells: 6 });
});

test('a prompt that does not fill its last part has a shorter one', () => {
  expect(
    batches({ nCtxSeq: 1100 })
      .slice(0, 3)
      .map(({ tokens, cells }) => [tokens, cells]),
  ).toEqual([
    ...[
      [512, 512],
      [512, 1024],
      [76, 1100],
    ],
  ]);
});

test('a draft leaves the last token to the next batch, and puts out nothing of the prompt', () => {
  const parts = batches({ role: { target: {}, outputsPerSlot: 1 } }).slice(0, 4);
  expect(parts.map(({ tokens, outputs }) => [tokens, outputs])).toEqual([
    ...[
      [512, 0],
      [512, 0],
      [512, 0],
      [511, 0],
    ],
  ]);
});

test('where some layers are the host’s, the last 31 tokens of a prompt are computed there', () => {
  const split = { ...onGpu, fullOffload: false };
  expect(batches({}, { placement: split })[4]).toEqual({ tokens: 31, outputs: 1, nSeqs: 1, cells: 2048 });
  expect(batches({ nUbatch: 31 }, { placement: split })).toHaveLength(Math.ceil(2048 / 31) + 1);
  expect(batches({ nUbatch: 32 }, { placement: split })).toHaveLength(2048 / 32 + 2);
  const placements = [onGpu, split, { ...onGpu, hasOverrides: true }, { ...split, hasGpu: false }];
  expect(placements.map((placement) => isSplit({ placement } as unknown as InUse))).toEqual([false, true, true, false]);
});

test('an encoder computes one batch, and graphs over compressed keys are for all slots', () => {
  expect(batches({}, { encodes: true })).toEqual([{ tokens: 512, outputs: 0, nSeqs: 1 }]);
  expect(batches({ nCtx: 256 }, { encodes: true })).toEqual([{ tokens: 256, outputs: 0, nSeqs: 1 }]);
  expect(batches({}, { compressed: {} }).map(({ nSeqs }) => nSeqs)).toEqual([4, 4, 4, 4, 4]);
});
