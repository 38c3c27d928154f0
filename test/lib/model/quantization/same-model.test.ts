import { expect, test } from '@jest/globals';
import { Keys } from '../../../../src/lib/model/keys.js';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import type { ModelShape } from '../../../../src/lib/model/model-shape.js';
import { asQuantizationOf } from '../../../../src/lib/model/quantization/same-model.js';
import { readBundledHeader } from '../../../../src/lib/source/bundled-header.js';
import { bundledShape } from '../../../support/models/bundled-shape.js';

async function withKey(key: string, value: number): Promise<ModelShape> {
  const bundled = readBundledHeader('qwen-2.5-coder-32b', 'Q3_K_M');
  if (bundled === undefined) throw new Error('no header');
  return describeModel({ ...bundled.header, metadata: new Map(bundled.header.metadata).set(key, value) });
}

test('a file that is built as another quantization shares what is known of that, and one that is not does not', async () => {
  const known = await bundledShape('qwen-2.5-coder-32b', 'Q4_K_M');
  const read = await bundledShape('qwen-2.5-coder-32b', 'Q3_K_M');
  expect(asQuantizationOf(known, read)).toEqual(read);
  expect(asQuantizationOf(known, read).hparams).toBe(known.hparams);
  const otherName = await withKey('general.file_type', 99);
  expect(asQuantizationOf(known, otherName).hparams).toBe(known.hparams);
  const otherContext = await withKey('qwen2.context_length', 4096);
  expect(asQuantizationOf(known, otherContext)).toBe(otherContext);
});

test('a file with a weight of another shape is not taken for the same model', async () => {
  const known = await bundledShape('qwen-2.5-coder-32b', 'Q4_K_M');
  const read = await bundledShape('qwen-2.5-coder-32b', 'Q3_K_M');
  const head = read.tensors.get('output.weight');
  if (head === undefined) throw new Error('no head');
  const tensors = new Map(read.tensors).set('output.weight', { ...head, dims: [5120, 1024] });
  const other = { ...read, tensors };
  expect(asQuantizationOf(known, other)).toBe(other);
  const more = { ...read, keys: new Keys(new Map(read.keys.metadata).set('qwen2.more', 1), 'qwen2') };
  expect(asQuantizationOf(known, more)).toBe(more);
});
