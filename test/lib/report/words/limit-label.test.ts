import { expect, test } from '@jest/globals';
import type { LimitCheck } from '../../../../src/lib/preflight/judge/verdict.js';
import {
  gpusInWords,
  holderLabel,
  limitLabel,
  requirementsOf,
  takenOfEach,
  whereLimited,
} from '../../../../src/lib/report/words/limit-label.js';

const GIB = 2 ** 30;
const limit = (name: LimitCheck['name'], needed: number, of: number, more: Partial<LimitCheck> = {}): LimitCheck => ({
  name,
  requiredBytes: needed * GIB,
  budget: { kind: 'absolute', bytes: of * GIB },
  ...more,
});

test('a memory is called by whose it is, and a GPU by its number where there are several', () => {
  expect([limitLabel({ name: 'memory' }), limitLabel({ name: 'gpu' }), limitLabel({ name: 'gpu', gpu: 0 })]).toEqual([
    ...['memory', 'GPU', 'GPU 0'],
  ]);
  expect([
    holderLabel({ device: 'host' }),
    holderLabel({ device: 'gpu' }),
    holderLabel({ device: 'gpu', gpu: 1 }),
  ]).toEqual([...['host', 'GPU', 'GPU 1']]);
  expect([
    whereLimited({ name: 'memory' }),
    whereLimited({ name: 'gpu' }),
    whereLimited({ name: 'gpu', gpu: 1 }),
  ]).toEqual([...['', ' on the GPU', ' on GPU 1']]);
});

test('GPUs are counted where more than one holds something', () => {
  expect(gpusInWords({ parts: [{}, {}] })).toBe('the GPU');
  expect(gpusInWords({ parts: [{ gpu: 0 }, { gpu: 0 }] })).toBe('the GPU');
  expect(gpusInWords({ parts: [{ gpu: 0 }, { gpu: 2 }, {}] })).toBe('2 GPUs');
});

test('what is taken of each memory is said GPU by GPU, then of the host, whichever refuses', () => {
  const limits = [
    limit('gpu', 11, 12, { gpu: 1 }),
    limit('memory', 9, 44, { hostOnly: true }),
    limit('gpu', 22, 24, { gpu: 0 }),
  ];
  expect(takenOfEach(limits)).toBe('22GB of 24GB on GPU 0, 11GB of 12GB on GPU 1, 9GB of 44GB on the host');
  expect(takenOfEach([limit('memory', 9, -3, { hostOnly: true })])).toBe('9GB of 0GB on the host');
});

test('what is required is said of each memory where they lie apart', () => {
  const limits = [limit('gpu', 22, 24), limit('memory', 9, 44, { hostOnly: true })];
  expect(requirementsOf(limits)).toEqual([
    { bytes: 22 * GIB, holder: 'GPU' },
    { bytes: 9 * GIB, holder: 'host' },
  ]);
});

test('what is required of one memory is said once, and beside what a GPU may take of it everything', () => {
  const [gpu, memory] = [limit('gpu', 20, 21), limit('memory', 23, 48)];
  expect(requirementsOf([memory, gpu])).toEqual([{ bytes: 23 * GIB, holder: '' }]);
  expect(requirementsOf([gpu, memory])).toEqual([
    { bytes: 20 * GIB, holder: 'GPU' },
    { bytes: 23 * GIB, holder: 'in all' },
  ]);
});
