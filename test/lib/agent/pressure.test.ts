import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createLog } from '../../../src/lib/agent/log.js';
import type { PressureLevel } from '../../../src/lib/host/memory-pressure.js';
import { agentHere, asBefore } from '../../support/agent-here.js';
import { AgentRig, until } from '../../support/agent-rig.js';

let rig: AgentRig;
let ending: AbortController;
let running: Promise<void>;
let level: PressureLevel;
const logged: { msg: string; service?: string }[] = [];

beforeEach(async () => {
  rig = await AgentRig.start();
  ending = new AbortController();
  level = 'normal';
  logged.length = 0;
});

afterEach(async () => {
  ending.abort();
  await running;
  asBefore();
  await rig.stop();
});

function deploy(name: string, priority: string): void {
  rig.deployModel(name);
  rig.deployService(name, {}, { priority });
}

async function start(eviction: boolean): Promise<void> {
  running = agentHere(rig, ending.signal, {
    eviction,
    pressure: async () => ({ level, text: `it is ${level}` }),
    log: createLog({ level: 'debug', format: 'json', write: (line) => logged.push(JSON.parse(line) as never) }),
  });
  await until(() => starts('low') === 1 && starts('high') === 1 && count('proven', 'ended') === 0);
  await until(() => ready('low') && ready('high'));
}

const starts = (service: string): number =>
  logged.filter(({ msg, service: of }) => msg === 'started' && of === `default/${service}`).length;
const count = (...messages: string[]): number => logged.filter(({ msg }) => messages.includes(msg)).length;
function condition(name: string, type: string) {
  const { status } = rig.api.store.require(rig.keyOf(name));
  const conditions = (status?.conditions ?? []) as { type: string; status: string; message: string }[];
  return conditions.find((one) => one.type === type);
}
const ready = (name: string): boolean => condition(name, 'ServerReady')?.status === 'True';

test('under critical pressure the least important service is ended, the last one stays, and the way back starts it again', async () => {
  deploy('low', 'low');
  deploy('high', 'high');
  await start(true);
  level = 'critical';
  const ended = 'ended to give memory back: it is critical';
  await until(() => count('evicted') === 1 && condition('low', 'ServerReady')?.message.includes(ended) === true);
  expect(condition('low', 'ServerReady')?.status).toBe('False');
  await until(() => condition('high', 'MemoryPressure')?.status === 'True');
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect([count('evicted'), starts('low'), ready('high')]).toEqual([1, 1, true]);
  level = 'normal';
  await until(() => starts('low') === 2 && ready('low'));
  await until(() => condition('high', 'MemoryPressure')?.status === 'False');
  expect([starts('high'), count('crashed')]).toEqual([1, 0]);
});

test('nobody is ended who has not asked for it', async () => {
  deploy('low', 'low');
  deploy('high', 'high');
  await start(false);
  level = 'critical';
  await until(() => condition('low', 'MemoryPressure')?.status === 'True');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect([count('evicted', 'ended'), ready('low'), ready('high')]).toEqual([0, true, true]);
});
