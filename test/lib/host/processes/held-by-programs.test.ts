import { expect, test } from '@jest/globals';
import { heldByPrograms } from '../../../../src/lib/host/processes/held-by-programs.js';
import { thisMachine } from '../../../../src/lib/host/probe.js';

test('threads of the kernel, which have no pages, are not among the programs that hold most', async () => {
  const ps = '    0 kthreadd\n 2048 /usr/bin/node\n    0 pool_workqueue_release\n 1024 bash\n';
  const { largest } = await heldByPrograms({ ...thisMachine, platform: 'linux', run: () => Promise.resolve(ps) });
  expect(largest).toEqual([
    { name: 'node', bytes: 2048 * 1024 },
    { name: 'bash', bytes: 1024 * 1024 },
  ]);
});
