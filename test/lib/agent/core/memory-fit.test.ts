import { expect, test } from '@jest/globals';
import {
  type FitReport,
  fitCondition,
  isTransition,
  pressureCondition,
  saidBefore,
  serverCondition,
  timed,
} from '../../../../src/lib/agent/core/memory-fit.js';
import type { MemoryPressure } from '../../../../src/lib/host/memory-pressure.js';
import { aService } from '../objects.js';

/** What the API takes of a condition's message. */
const LONGEST = 32_768;

test('a message is no longer than the API takes', () => {
  const long = 'x'.repeat(LONGEST + 1);
  expect(fitCondition({ reason: 'Fits', message: long, generation: 1 }).message).toHaveLength(LONGEST);
  expect(serverCondition(undefined, long).message).toHaveLength(LONGEST);
});

test('a condition keeps the time of its last transition for as long as its status stays', () => {
  const now = new Date('2026-01-02T03:04:05.678Z');
  const condition = fitCondition({ reason: 'Tight', message: '', generation: 2 });
  const before = { type: 'MemoryFit', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' } as const;
  expect(timed(condition, before, now).lastTransitionTime).toBe('2026-01-01T00:00:00Z');
  expect(timed(condition, { ...before, status: 'False' }, now).lastTransitionTime).toBe('2026-01-02T03:04:05Z');
  expect(timed(condition, undefined, now).lastTransitionTime).toBe('2026-01-02T03:04:05Z');
});

test.each<[FitReport['reason'], string]>([
  ['Fits', 'True'],
  ['Tight', 'True'],
  ['Overruled', 'False'],
  ['InsufficientMemory', 'False'],
  ['MemoryCheckFailed', 'Unknown'],
  ['ModelNotFound', 'Unknown'],
])('whether it fits is, with %s, %s', (reason, status) => {
  expect(fitCondition({ reason, message: 'm', generation: undefined })).toEqual({
    type: 'MemoryFit',
    status,
    reason,
    message: 'm',
  });
});

test.each<[string | undefined, string | undefined, string, string, string]>([
  ['ready', undefined, 'True', 'Ready', 'llama-server answers'],
  ['loading', undefined, 'False', 'Loading', 'the model is being loaded'],
  ['loading', 'it ended by itself', 'False', 'Loading', 'it ended by itself'],
  ['stopping', undefined, 'False', 'Stopping', 'llama-server is being ended'],
  ['stopping', 'memory is short', 'False', 'Stopping', 'memory is short'],
  ['unhealthy', 'it ended by itself', 'False', 'Unhealthy', 'llama-server does not answer'],
  [undefined, 'it ended by itself', 'False', 'Ended', 'it ended by itself'],
  [undefined, undefined, 'False', 'NotStarted', 'nothing runs'],
])('a server that is %s after "%s" is ready: %s, %s', (state, ending, status, reason, message) => {
  expect(serverCondition(state, ending)).toEqual({ type: 'ServerReady', status, reason, message });
});

test.each<[MemoryPressure['level'], string, string]>([
  ['normal', 'False', 'Normal'],
  ['warning', 'True', 'Warning'],
  ['critical', 'True', 'Critical'],
])('%s is memory pressure: %s, %s', (level, status, reason) => {
  expect(pressureCondition({ level, text: 'as it is' })).toEqual({
    type: 'MemoryPressure',
    status,
    reason,
    message: 'as it is',
  });
});

test('what an earlier agent let in is known by what it said; what it refused, or did not say, is not', () => {
  const said = (reason?: string) =>
    saidBefore({
      ...aService(),
      status: {
        conditions: [
          { type: 'ServerReady', status: 'True', reason: 'Ready' },
          ...(reason === undefined
            ? []
            : [{ type: 'MemoryFit', status: 'True' as const, reason, message: 'm', observedGeneration: 4 }]),
        ],
      },
    } as ReturnType<typeof aService>);
  for (const reason of ['Fits', 'Tight', 'Overruled'])
    expect(said(reason)).toEqual({ reason, message: 'm', generation: 4 });
  for (const reason of ['InsufficientMemory', 'MemoryCheckFailed', undefined]) expect(said(reason)).toBeUndefined();
});

test('a person hears of the first verdict unless it fits, and of every other one', () => {
  const report = (reason: FitReport['reason']): FitReport => ({ reason, message: '', generation: 1 });
  expect([isTransition(undefined, report('Fits')), isTransition(undefined, report('Tight'))]).toEqual([false, true]);
  expect(isTransition({ reason: 'Tight' }, report('Tight'))).toBe(false);
  expect(isTransition({ reason: 'Tight' }, report('Fits'))).toBe(true);
});
