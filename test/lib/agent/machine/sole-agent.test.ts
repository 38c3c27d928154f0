import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takeAgentName } from '../../../../src/lib/agent/machine/sole-agent.js';
import type { ProcessIdentity } from '../../../../src/lib/host/processes/processes.js';
import { temporaryFolder } from '../../../support/sparse-file.js';

let folder: { path: string; remove: () => Promise<void> };
beforeEach(async () => (folder = await temporaryFolder()));
afterEach(() => folder.remove());

const SELF = { pid: process.pid, startedAt: 'now' };

/** A machine on which only these run, beside the test itself. */
const running =
  (...others: readonly ProcessIdentity[]) =>
  (pid: number): ProcessIdentity | undefined =>
    [SELF, ...others].find((one) => one.pid === pid);

function held(by: ProcessIdentity, instance: string): void {
  mkdirSync(join(folder.path, 'agents/box'), { recursive: true });
  writeFileSync(join(folder.path, 'agents/box/agent'), JSON.stringify({ ...by, instance }));
}

test('a machine’s agent of a name is the same one whenever it starts again, and another for another name', async () => {
  const first = await takeAgentName(folder.path, 'box', running());
  expect(await takeAgentName(folder.path, 'box', running())).toBe(first);
  expect(await takeAgentName(folder.path, 'other', running())).not.toBe(first);
});

test('it is refused while another process has the name, told by its start', async () => {
  held({ pid: 77, startedAt: 'then' }, 'x');
  await expect(takeAgentName(folder.path, 'box', running({ pid: 77, startedAt: 'then' }))).rejects.toMatchObject({
    code: 'AGENT_RUNS',
    message: expect.stringContaining('as process 77'),
  });
  expect(await takeAgentName(folder.path, 'box', running({ pid: 77, startedAt: 'later' }))).toBe('x');
});

test('where nothing can be written it is told from what was, and refused all the same', async () => {
  held({ pid: 77, startedAt: 'then' }, 'x');
  writeFileSync(join(folder.path, 'lock'), 'no folder');
  expect(await takeAgentName(folder.path, 'box', running())).toBe('x');
  await expect(takeAgentName(folder.path, 'box', running({ pid: 77, startedAt: 'then' }))).rejects.toMatchObject({
    code: 'AGENT_RUNS',
  });
});
