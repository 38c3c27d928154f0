import { afterEach, expect, jest, test } from '@jest/globals';
import { agentHere, asBefore } from '../../support/agent-here.js';
import { AgentRig, until } from '../../support/agent-rig.js';

const CLAIMED_BY = 'inference.llmkube.dev/claimed-by';
const HEARTBEAT = 'inference.llmkube.dev/claim-heartbeat';

afterEach(() => {
  jest.restoreAllMocks();
  asBefore();
});

/** Runs an agent in this process while something is done to its clock. */
async function agentDuring(rig: AgentRig, work: () => Promise<void>): Promise<void> {
  const ending = new AbortController();
  const running = agentHere(rig, ending.signal);
  await work();
  ending.abort();
  await running;
}

const ticks = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 500));

/** Who has a service that another agent had claimed, after a clock was set. */
async function ownerAfter(setClock: () => void): Promise<string | undefined> {
  const rig = await AgentRig.start();
  rig.deploy('one', { [CLAIMED_BY]: 'other', [HEARTBEAT]: 'just now' }, '/nowhere/a.gguf');
  await agentDuring(rig, async () => {
    await ticks();
    setClock();
    await ticks();
  });
  const owner = rig.seen('one').annotations[CLAIMED_BY];
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

test('a service that runs without its Model is still claimed by heartbeats', async () => {
  const rig = await AgentRig.start();
  rig.deploy('one');
  const heartbeat = (): string | undefined => rig.seen('one').annotations[HEARTBEAT];
  await agentDuring(rig, async () => {
    await until(() => rig.seen('one').server === 'Ready');
    rig.api.store.delete({ plural: 'models', namespace: 'default', name: 'one' });
    await ticks();
    const before = heartbeat();
    setOn(performance);
    await until(() => heartbeat() !== before);
  });
  expect([rig.running().length, rig.seen('one').reason]).toEqual([1, 'Tight']);
  await rig.stop();
});
