import { expect, test } from '@jest/globals';
import type { ServiceWriter } from '../../../src/lib/agent/cluster/service-writer.js';
import { serverCondition, type FitReport } from '../../../src/lib/agent/core/memory-fit.js';
import { createLog } from '../../../src/lib/agent/log.js';
import { Teller } from '../../../src/lib/agent/teller.js';
import { aService } from './objects.js';

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
