import { expect, test } from '@jest/globals';
import { evictionTarget, type EvictionCandidate } from '../../../../src/lib/agent/core/eviction.js';

const one = (key: string, more: Partial<EvictionCandidate> = {}): EvictionCandidate => ({
  key,
  spec: {},
  requiredBytes: 10,
  startedAtMs: 0,
  ...more,
});
const chosen = (...running: EvictionCandidate[]): string | undefined => evictionTarget(running)?.key;

test('the last one that runs is never ended, whatever its priority', () => {
  expect(chosen()).toBeUndefined();
  expect(chosen(one('only', { spec: { priority: 'batch' } }))).toBeUndefined();
});

test('the lowest priority goes first, and one that says none is normal', () => {
  expect(chosen(one('a', { spec: { priority: 'critical' } }), one('b'), one('c', { spec: { priority: 'low' } }))).toBe(
    'c',
  );
  expect(chosen(one('a', { spec: { priority: 'high' } }), one('b'))).toBe('b');
  expect(chosen(one('a'), one('b', { spec: { priority: 'low' } }), one('c', { spec: { priority: 'batch' } }))).toBe(
    'c',
  );
});

test('of one priority the largest goes, of one size the youngest', () => {
  expect(chosen(one('a', { requiredBytes: 11 }), one('b'))).toBe('a');
  expect(chosen(one('a', { startedAtMs: 5 }), one('b', { startedAtMs: 9 }))).toBe('b');
  expect(chosen(one('a', { startedAtMs: 9 }), one('b', { startedAtMs: 5, requiredBytes: 11 }))).toBe('b');
});

test('protected ones stay, even where nobody else could go', () => {
  const low = { priority: 'batch', evictionProtection: true };
  expect(chosen(one('a', { spec: low }), one('b'))).toBe('b');
  expect(chosen(one('a', { spec: low }), one('b', { spec: { evictionProtection: true } }))).toBeUndefined();
});

test('the order of priorities is that of the field’s enum; a word that is none of them counts as normal', () => {
  const rising = ['batch', 'low', 'normal', 'high', 'critical'];
  for (const [at, priority] of rising.slice(1).entries()) {
    expect(chosen(one('more', { spec: { priority } }), one('less', { spec: { priority: rising[at] ?? '' } }))).toBe(
      'less',
    );
  }
  expect(chosen(one('a', { spec: { priority: 'urgent' } }), one('b', { spec: { priority: 'high' } }))).toBe('a');
  expect(chosen(one('a', { spec: { priority: 'urgent' } }), one('b', { spec: { priority: 'low' } }))).toBe('b');
});
