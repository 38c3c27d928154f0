import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createLog } from '../../../src/lib/agent/log.js';
import { safeOutput } from '../../../src/lib/printable.js';

test.each(['json', 'text'] as const)('a message is one line as %s, and acts on no terminal', (format) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (message, value) => {
      const lines: string[] = [];
      createLog({ level: 'info', format, write: (line) => lines.push(line) }).info(message, { value });
      const line = safeOutput(lines.join('\n'));
      expect(line.split('\n')).toHaveLength(1);
      if (format === 'json') expect(JSON.parse(line)).toMatchObject({ level: 'info' });
    }),
  );
});

test('no login is in a line', () => {
  const lines: string[] = [];
  const log = createLog({ level: 'info', format: 'json', write: (line) => lines.push(line) });
  log.info('fetching https://user:hunter2@h/x', { source: 'https://h/?token=hunter2' });
  expect(lines.join()).not.toContain('hunter2');
});
