import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { AgentRig, STAND_IN, until } from '../../support/agent-rig.js';

let rig: AgentRig;
beforeEach(async () => {
  rig = await AgentRig.start();
});
afterEach(() => rig.stop());

const RECORD = 'state/agents/box/default.one.json';
const LEDGER = 'state/ledger.json';
/** For two of them. */
const ROOM = ['--memory-budget', '9Gi'];

test.each<readonly [what: string, damage: () => void]>([
  ['cut off', () => writeFileSync(rig.at(RECORD), '{"key":"default/one"')],
  ['lost', () => rmSync(rig.at(RECORD))],
  ['of another service', () => writeFileSync(rig.at(RECORD), record().replace('default/one', 'default/two'))],
  ['without sizes', () => writeFileSync(rig.at(RECORD), record().replace(/"bytes":\d+/, '"bytes":null'))],
  [
    'lost with the ledger',
    () => {
      rmSync(rig.at(RECORD));
      rmSync(rig.at(LEDGER));
    },
  ],
])('a server whose record is %s is ended before another one is started for its service', async (_what, damage) => {
  rig.deploy('one');
  await rig.agent(ROOM);
  const [first] = rig.running();
  damage();
  const { stderr } = await rig.agent(ROOM);
  expect(stderr).toContain('"msg":"found without a record"');
  expect(rig.starts()).toHaveLength(2);
  expect(rig.running()).toEqual([rig.starts()[1]?.pid]);
  expect(rig.running()).not.toContain(first);
  expect((await rig.ledger()).map(({ pid }) => pid)).toEqual(rig.running());
});

test('a server without a record whose service is gone is ended', async () => {
  rig.deploy('one');
  await rig.agent();
  rmSync(rig.at(RECORD));
  rig.api.store.delete(rig.keyOf('one'));
  await rig.agent();
  expect(rig.running()).toEqual([]);
});

test('two agents of one machine do not take each other’s servers for their own', async () => {
  rig.deploy('one');
  await rig.agent(ROOM);
  rmSync(rig.at(RECORD));
  await rig.agent(['--agent-id', 'other']);
  expect(rig.running()).toHaveLength(1);
});

test('servers of an agent whose name is no longer used are told of, and left', async () => {
  rig.deploy('one');
  await rig.agent();
  const { stderr } = await rig.agent(['--agent-id', 'other']);
  expect(stderr).toContain(
    '"msg":"servers of an agent that does not run","agent":"box","services":"default/one","advice":"run it with --agent-id box, or end them"',
  );
  expect(rig.running()).toHaveLength(1);
});

test('what a killed wrapper leaves running is ended before the next start', async () => {
  writeFileSync(rig.at('real'), STAND_IN);
  writeFileSync(rig.at('llama-server'), `#!/bin/sh\n${rig.at('real')} "$@"\nexit $?\n`);
  for (const name of ['real', 'llama-server']) chmodSync(rig.at(name), 0o755);
  rig.deploy('one');
  const running = rig.agent(ROOM, { LOADS: '1' });
  await until(() => rig.running().length === 1);
  const [{ pid = 0 } = {}] = await rig.ledger();
  expect(pid).not.toBe(rig.running()[0]);
  process.kill(pid, 'SIGKILL');
  await until(() => rig.seen('one').server === 'Ended');
  expect(rig.running()).toEqual([]);
  rig.patch('one', { contextSize: 256 });
  await running;
  expect(rig.running()).toHaveLength(1);
});

const record = (): string => readFileSync(rig.at(RECORD), 'utf8');
