import { describe, expect, test } from '@jest/globals';
import type { Address, Registration } from '../../../../src/lib/agent/cluster/registration.js';
import type { ServiceWriter } from '../../../../src/lib/agent/cluster/service-writer.js';
import { serverCondition, type FitReport } from '../../../../src/lib/agent/core/memory-fit.js';
import { ClusterError } from '../../../../src/lib/errors.js';
import { createLog } from '../../../../src/lib/agent/log.js';
import { Teller } from '../../../../src/lib/agent/service/teller.js';
import { aService } from '../objects.js';

test('a verdict is one event, though the cluster’s own copy of it comes back later', async () => {
  const events: string[] = [];
  const writer: Pick<ServiceWriter, 'say' | 'event'> = {
    say: () => Promise.resolve(),
    event: (_service, type, reason) => Promise.resolve(void events.push(`${type} ${reason}`)),
  };
  const log = createLog({ level: 'error', format: 'json', write: () => undefined });
  const teller = new Teller(writer as ServiceWriter, undefined, log, '');
  const refused: FitReport = { reason: 'InsufficientMemory', message: 'm', generation: 1 };
  for (const report of [refused, refused, { ...refused, reason: 'Tight' as const }, refused]) {
    await teller.status(aService(), report, serverCondition(undefined, undefined), undefined);
  }
  expect(events).toEqual(['Warning InsufficientMemory', 'Normal Tight', 'Warning InsufficientMemory']);
});

describe('where a service answers', () => {
  /** Notes what is asked of the cluster, which has a Service of somebody else's where that is said. */
  function telling({ conflict = false } = {}) {
    const calls: string[] = [];
    const noted = (call: string) => (_service: unknown, address?: Address) => {
      calls.push(address === undefined ? call : `${call} ${address.port} ${address.ready ? 'ready' : 'not ready'}`);
      if (conflict && call === 'register')
        return Promise.reject(new ClusterError('ENDPOINT_NAME_CONFLICT', 'it is somebody else’s'));
      return Promise.resolve();
    };
    const registration = { register: noted('register'), confirm: noted('confirm'), withdraw: noted('withdraw') };
    const writer = { event: (_service: unknown, _type: string, reason: string) => Promise.resolve(calls.push(reason)) };
    const log = createLog({ level: 'error', format: 'json', write: () => undefined });
    const teller = new Teller(writer as never, registration as unknown as Registration, log, '192.0.2.1');
    return { teller, calls };
  }

  test('is not ready while another process takes the place of the first, and never removed in between', async () => {
    const { teller, calls } = telling();
    await teller.address(aService(), 4001);
    await Promise.all([teller.notReady(aService()), teller.notReady(aService())]);
    await teller.address(aService(), 4002);
    expect(calls).toEqual(['register 4001 ready', 'confirm 4001 not ready', 'register 4002 ready']);
  });

  test('is never written over what is somebody else’s, ready or not, and that is one event', async () => {
    const { teller, calls } = telling({ conflict: true });
    await teller.address(aService(), 4001);
    await teller.notReady(aService());
    await teller.address(aService(), 4001);
    expect(calls.filter((call) => call.startsWith('confirm'))).toEqual([]);
    expect(calls.filter((call) => call === 'EndpointNameConflict')).toHaveLength(1);
  });
});
