import { expect, test } from '@jest/globals';
import { trainedContext } from '../../../../src/lib/estimate/context/trained-context.js';
import { advise } from '../../../../src/lib/preflight/advice/advise.js';
import { roomOf } from '../../../../src/lib/preflight/advice/machine-changes.js';
import { parseServerArguments, splitWords } from '../../../../src/lib/runtime/server-arguments.js';
import { bundledShape } from '../../../support/models/bundled-shape.js';

const GIB = 2 ** 30;
/** Far more than any machine holds. */
const ENDLESS = 1_000_000_000;
const shape = await bundledShape('qwen-3-32b', 'Q4_K_M');
const rope = (line: string) => parseServerArguments(splitWords(line)).options;

const contextsFor = (line: string): readonly number[] => {
  const launch = { accelerator: 'metal', ctxSize: ENDLESS, ...rope(line) } as const;
  return advise({ shape, launch, room: roomOf(512 * GIB, 0, true), variants: [] }).flatMap(({ changes }) =>
    changes.flatMap((change) => (change.kind === 'context' ? [change.tokens] : [])),
  );
};

test('no context is proposed beyond the trained one', () => {
  expect(contextsFor('')).toEqual([40_960]);
});

test('where each slot has a cache of its own, that is so much for each', () => {
  expect(contextsFor('-np 3')).toEqual([3 * 40_960]);
});

test('what YaRN makes of the trained context is proposed, as llama-server serves it', () => {
  expect(contextsFor('--rope-scaling yarn --rope-scale 4 --yarn-orig-ctx 32768')).toEqual([131_072]);
});

// llama_init_from_model: n_ctx_orig_yarn / rope_freq_scale, with yarn alone, and not where the scale is the header's own.
test.each([
  ['', 40_960],
  ['--rope-scaling linear --rope-scale 4', 40_960],
  ['--rope-scale 4', 40_960],
  ['--rope-scaling yarn', 40_960],
  ['--rope-scaling yarn --rope-scale 1', 40_960],
  ['--rope-scaling yarn --rope-freq-scale 0.25', 163_840],
  ['--rope-scaling yarn --rope-freq-scale 0', 40_960],
  ['--rope-scaling yarn --rope-scale 2 --yarn-orig-ctx 32768', 65_536],
])('llama.cpp takes a model that was trained with 40960 tokens, with "%s", to know %d', (line, tokens) => {
  expect(trainedContext(shape.hparams, rope(line))).toBe(tokens);
});
