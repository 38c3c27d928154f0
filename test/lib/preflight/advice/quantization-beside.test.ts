import { expect, test } from '@jest/globals';
import { advise } from '../../../../src/lib/preflight/advice/advise.js';
import type { Room } from '../../../../src/lib/preflight/advice/trials.js';
import { usualModels, variantsOf } from '../../../support/models/usual-models.js';

const GIB = 2 ** 30;
const models = usualModels();

/** A card of 6 GiB in a machine of 16. */
const room: Room = {
  host: {
    ...{ source: 'given', totalBytes: 16 * GIB, inUseBytes: 2 * GIB, notes: [] },
    gpus: [{ index: 0, name: '', totalBytes: 6 * GIB, usedBytes: 0 }],
  },
  policy: {},
};

test.each([
  ['qwen-2.5-coder-32b', 0, 'gpu-layers'],
  ['qwen3-30b-a3b', 3, 'cpu-experts'],
])(
  'a smaller %s of which only a part must leave the card is proposed with that alone: slots, batches and cache stay',
  (name, at, kind) => {
    const shape = models.at(at);
    expect(shape.name).toBe(name);
    const found = advise({ shape, launch: { accelerator: 'cuda', ctxSize: 8192 }, room, variants: variantsOf(shape) });
    const kept = found
      .map(({ changes }) => changes.map((change) => change.kind))
      .filter((kinds) => !kinds.includes('context'));
    expect(kept).toEqual([['quantization', kind]]);
  },
);
