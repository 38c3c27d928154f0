import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { AgentRig, until } from '../../support/agent-rig.js';

let rig: AgentRig;
beforeEach(async () => {
  rig = await AgentRig.start();
});
afterEach(() => rig.stop());

const contexts = () => rig.starts().map(({ words }) => /--ctx-size (\d+)/.exec(words)?.[1]);
const budget = ['--memory-budget', '900Mi'];
/** Of the tiny model, more than 900 MiB hold. */
const TOO_MUCH = { contextSize: 1_000_000, parallelSlots: 1 };

test('a changed spec that does not fit leaves what runs, and says why; taken back, all is as before', async () => {
  rig.deploy('one');
  const running = rig.longAgent({}, budget);
  await until(() => rig.seen('one').server === 'Ready');
  const { reason } = rig.seen('one');
  rig.patch('one', TOO_MUCH);
  await until(() => rig.seen('one').reason === 'InsufficientMemory');
  expect(rig.seen('one').message).toMatch(/^insufficient memory for one[^]*\nwhat was started before goes on running$/);
  expect(rig.running()).toEqual([rig.starts()[0]?.pid]);
  expect(rig.seen('one').server).toBe('Ready');
  rig.patch('one', { contextSize: 512, parallelSlots: null });
  await until(() => rig.seen('one').reason === reason);
  await running.end();
  expect(contexts()).toEqual(['512']);
});

test('a changed spec that fits once the other has ended takes its place', async () => {
  rig.deploy('one');
  const running = rig.longAgent({}, budget);
  await until(() => rig.seen('one').server === 'Ready');
  rig.patch('one', { contextSize: 256 });
  await until(() => rig.starts().length === 2 && rig.seen('one').server === 'Ready');
  await running.end();
  expect(contexts()).toEqual(['512', '256']);
  expect(rig.running()).toEqual([rig.starts()[1]?.pid]);
});
