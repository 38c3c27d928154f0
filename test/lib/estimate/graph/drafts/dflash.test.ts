import { expect, test } from '@jest/globals';
import { isPlainDflash } from '../../../../../src/lib/estimate/graph/drafts/dflash.js';
import type { ModelShape } from '../../../../../src/lib/model/model-shape.js';

const withTensor = (name: string): ModelShape => ({ tensors: new Map([[name, {}]]) }) as unknown as ModelShape;

test.each(['markov_w1.weight', 'selector_hidden.weight', 'blk.0.hc_attn_base.weight', 'output_hc_fn.weight'])(
  'a draft with %s has another graph, so its buffers are a bound',
  (name) => {
    expect(isPlainDflash(withTensor(name))).toBe(false);
    expect(isPlainDflash(withTensor('blk.0.attn_q.weight'))).toBe(true);
  },
);
