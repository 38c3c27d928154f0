import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { AgentRig, until } from '../../support/agent-rig.js';

let rig: AgentRig;
beforeEach(async () => {
  rig = await AgentRig.start();
});
afterEach(() => rig.stop());

const contexts = () => rig.starts().map(({ words }) => /--ctx-size (\d+)/.exec(words)?.[1]);

test('a service that has crashed keeps its memory until it is tried again, before others and in the ledger', async () => {
  rig.deploy('one');
  const running = rig.longAgent({ LOADS: '1' }, ['--memory-budget', '900Mi']);
  await until(() => rig.starts().length === 1);
  rig.deploy('two');
  await until(() => rig.seen('two').reason === 'InsufficientMemory');
  process.kill(rig.starts()[0]?.pid ?? 0, 'SIGKILL');
  await until(() => rig.seen('one').server === 'Ended');
  expect((await rig.ledger()).map(({ who, state }) => [who, state])).toEqual([['service default/one', 'promised']]);
  expect(rig.seen('one').annotations).toHaveProperty(['inference.llmkube.dev/memory-required']);
  rig.patch('one', { contextSize: 256 });
  await until(() => rig.seen('one').server === 'Ready');
  await running.end();
  expect(contexts()).toEqual(['512', '256']);
  expect(rig.seen('two').reason).toBe('InsufficientMemory');
  expect((await rig.ledger()).map(({ pid }) => pid)).toEqual([rig.starts()[1]?.pid]);
});

test('what was kept for a service that has crashed is free once nobody wants it any more', async () => {
  rig.deploy('one');
  const running = rig.longAgent({ LOADS: '1' }, ['--memory-budget', '900Mi']);
  await until(() => rig.starts().length === 1);
  rig.deployModel('two');
  rig.deployService('two', {}, { contextSize: 256 });
  await until(() => rig.seen('two').reason === 'InsufficientMemory');
  process.kill(rig.starts()[0]?.pid ?? 0, 'SIGKILL');
  await until(() => rig.seen('one').server === 'Ended');
  rig.patch('one', { suspend: true });
  await until(() => rig.seen('two').server === 'Ready');
  await until(() => rig.seen('one').annotations['inference.llmkube.dev/claimed-by'] === undefined);
  await running.end();
  expect(contexts()).toEqual(['512', '256']);
  expect((await rig.ledger()).map(({ who }) => who)).toEqual(['service default/two']);
  expect(rig.seen('one').annotations).not.toHaveProperty(['inference.llmkube.dev/memory-required']);
});

test('a server that loads while it is taken over is resident once it has loaded', async () => {
  rig.deploy('one');
  const first = rig.longAgent({ LOADS: '1' });
  await until(() => rig.starts().length === 1);
  await first.end();
  rig.loaded();
  expect((await rig.agent()).stderr).toContain('"msg":"adopted"');
  expect((await rig.ledger()).map(({ state }) => state)).toEqual(['resident']);
});

test('a service of which nothing runs any more has nothing promised to it', async () => {
  rig.deploy('one');
  const running = rig.longAgent({}, ['--memory-budget', '900Mi']);
  await until(() => rig.seen('one').server === 'Ready');
  const required = ['inference.llmkube.dev/memory-required'];
  await until(() => rig.seen('one').annotations[required[0] ?? ''] !== undefined);
  rig.patch('one', { contextSize: 2_097_152 });
  await until(() => rig.seen('one').reason === 'InsufficientMemory');
  await until(() => rig.seen('one').annotations[required[0] ?? ''] === undefined);
  await running.end();
});

test('a server that listens on another address than this agent’s gives way to one on it', async () => {
  rig.deploy('one');
  await rig.agent();
  const { stderr } = await rig.agent(['--host-ip', '127.0.0.2']);
  expect(stderr).toContain('"msg":"adopted"');
  expect(stderr).not.toContain('"msg":"crashed"');
  expect(rig.starts().map(({ words }) => /--host (\S+)/.exec(words)?.[1])).toEqual(['127.0.0.1', '127.0.0.2']);
  expect(rig.running()).toEqual([rig.starts()[1]?.pid]);
});
