import type { LedgerEntry } from '../../../src/lib/guard/ledger/ledger.js';

/** What a process of the ledger was promised. */
export const ENTRY: LedgerEntry = {
  pid: 4711,
  startedAt: '81734',
  who: 'service default/tiny',
  argvHash: 'a'.repeat(64),
  requirement: {
    hostBytes: 2 ** 33,
    mappedBytes: 2 ** 32,
    gpuBytes: [2 ** 30, 0],
    gpuIds: ['GPU-aaaa-1', 'GPU-bbbb-2'],
  },
  decidedAt: '2026-02-03T04:05:06Z',
  state: 'promised',
};
