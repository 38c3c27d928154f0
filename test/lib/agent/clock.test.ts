import { afterEach, expect, jest, test } from '@jest/globals';
import { runAgent } from '../../../src/lib/agent/agent.js';
import { createLog } from '../../../src/lib/agent/log.js';
import { CurrentLlamaServer } from '../../../src/lib/agent/machine/llama-server.js';
import { measureHost } from '../../../src/lib/host/measure-host.js';
import { connect } from '../../../src/lib/kube/client/client.js';
import { AgentRig } from '../../support/agent-rig.js';

const CLAIMED_BY = 'inference.llmkube.dev/claimed-by';

const { LLMKUBE_STATE_DIR } = process.env;
afterEach(() => {
  jest.restoreAllMocks();
  if (LLMKUBE_STATE_DIR === undefined) delete process.env.LLMKUBE_STATE_DIR;
  else process.env.LLMKUBE_STATE_DIR = LLMKUBE_STATE_DIR;
});

/** Who has a service that another agent had claimed, after a clock was set. */
async function ownerAfter(setClock: () => void): Promise<string | undefined> {
  const rig = await AgentRig.start();
  process.env.LLMKUBE_STATE_DIR = rig.at('state');
  rig.deploy('one', { [CLAIMED_BY]: 'other', 'inference.llmkube.dev/claim-heartbeat': 'just now' });
  const ending = new AbortController();
  const running = runAgent(
    {
      ...{ identity: { id: 'box', accelerator: 'cpu' }, namespace: 'default', hostIp: undefined, port: 0, once: false },
      defaults: { policy: { absoluteBytes: 2 ** 30 }, mode: 'enforce', modeFrom: '' },
      ...{ gpuMemoryBytes: undefined, startupMs: 20_000, threads: undefined, eviction: false, version: '0.0.0' },
      ...{ cacheDir: rig.at('cache'), store: { folder: rig.at('store'), allowedRoots: [], allowedHosts: [] } },
    },
    {
      ...{ client: await connect({ kubeconfig: rig.kubeconfig }), measure: measureHost, signal: ending.signal },
      llamaServer: new CurrentLlamaServer({ path: rig.at('llama-server'), build: undefined, options: new Set() }),
      pressure: async () => undefined,
      log: createLog({ level: 'error', format: 'json', write: () => undefined }),
      tickMs: 50,
    },
  );
  const ticks = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 500));
  await ticks();
  setClock();
  await ticks();
  const owner = rig.seen('one').annotations[CLAIMED_BY];
  ending.abort();
  await running;
  await rig.stop();
  return owner;
}

/** An hour later, by one of a machine's clocks. */
function setOn(clock: Pick<typeof Date, 'now'>): void {
  const now = clock.now.bind(clock);
  jest.spyOn(clock, 'now').mockImplementation(() => now() + 3_600_000);
}

test('a clock that is set an hour on makes no service of another agent this one’s', async () => {
  expect(await ownerAfter(() => setOn(Date))).toBe('other');
});

test('a claim whose heartbeat does not move while an hour passes is taken over', async () => {
  expect(await ownerAfter(() => setOn(performance))).toBe('box');
});
