import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CurrentLlamaServer } from '../../../src/lib/agent/machine/llama-server.js';
import { runAgent } from '../../../src/lib/agent/agent.js';
import { createLog } from '../../../src/lib/agent/log.js';
import type { PressureLevel } from '../../../src/lib/host/memory-pressure.js';
import { measureHost } from '../../../src/lib/host/measure-host.js';
import { connect } from '../../../src/lib/kube/client/client.js';
import { KubeApi } from '../../support/kube-api.js';
import { writeKubeconfig } from '../../support/kubeconfig-file.js';
import { temporaryFolder } from '../../support/sparse-file.js';
import { writeTinyModel } from '../../support/tiny-model.js';
import { aModel, aService } from './objects.js';

const STAND_IN = `#!${process.execPath}
const { argv } = process;
require('http').createServer((_, answer) => answer.end('ok')).listen(Number(argv[argv.indexOf('--port') + 1]), '127.0.0.1');
`;

let api: KubeApi;
let folder: { path: string; remove: () => Promise<void> };
let ending: AbortController;
let running: Promise<void>;
let level: PressureLevel;
const logged: { msg: string; service?: string; pid?: number }[] = [];
const { LLMKUBE_STATE_DIR } = process.env;

beforeEach(async () => {
  folder = await temporaryFolder();
  api = await KubeApi.start();
  ending = new AbortController();
  level = 'normal';
  logged.length = 0;
  process.env.LLMKUBE_STATE_DIR = join(folder.path, 'state');
  writeFileSync(join(folder.path, 'llama-server'), STAND_IN);
  chmodSync(join(folder.path, 'llama-server'), 0o755);
  await writeTinyModel(join(folder.path, 'tiny.gguf'));
});

afterEach(async () => {
  ending.abort();
  await running;
  for (const { pid } of logged) {
    try {
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    } catch {
      // It was evicted.
    }
  }
  if (LLMKUBE_STATE_DIR === undefined) delete process.env.LLMKUBE_STATE_DIR;
  else process.env.LLMKUBE_STATE_DIR = LLMKUBE_STATE_DIR;
  await api.close();
  await folder.remove();
});

function deploy(name: string, priority: string): void {
  const metadata = { name, namespace: 'default', annotations: { 'inference.llmkube.dev/agent': 'box' } };
  const key = (plural: string) => ({ plural, namespace: 'default', name });
  const model = { ...aModel(), metadata: { name, namespace: 'default' } };
  const spec = { ...model.spec, source: join(folder.path, 'tiny.gguf') };
  const service = { ...aService({ modelRef: name, contextSize: 512, priority }), metadata };
  api.store.create(key('models'), { ...model, spec } as never, 'test', { dryRun: false });
  api.store.create(key('inferenceservices'), service as never, 'test', { dryRun: false });
}

async function start(eviction: boolean): Promise<void> {
  const client = await connect({ kubeconfig: await writeKubeconfig({ double: { server: api.url } }) });
  running = runAgent(
    {
      ...{ identity: { id: 'box', accelerator: 'cpu' }, namespace: 'default', hostIp: undefined, port: 0, once: false },
      ...{
        defaults: { policy: { absoluteBytes: 4 * 2 ** 30 }, mode: 'enforce', modeFrom: '' },
        gpuMemoryBytes: undefined,
      },
      ...{ startupMs: 20_000, threads: undefined, eviction, cacheDir: join(folder.path, 'cache'), version: '0.0.0' },
      store: { folder: join(folder.path, 'store'), allowedRoots: [folder.path], allowedHosts: [] },
    },
    {
      ...{ client, measure: measureHost, signal: ending.signal, tickMs: 50 },
      llamaServer: new CurrentLlamaServer({
        path: join(folder.path, 'llama-server'),
        build: 'b11549',
        options: new Set(['--model']),
      }),
      pressure: async () => ({ level, text: `it is ${level}` }),
      log: createLog({ level: 'debug', format: 'json', write: (line) => logged.push(JSON.parse(line) as never) }),
    },
  );
  await until(() => starts('low') === 1 && starts('high') === 1 && count('proven', 'ended') === 0);
  await until(() => ready('low') && ready('high'));
}

const starts = (service: string): number =>
  logged.filter(({ msg, service: of }) => msg === 'started' && of === `default/${service}`).length;
const count = (...messages: string[]): number => logged.filter(({ msg }) => messages.includes(msg)).length;
function condition(name: string, type: string) {
  const { status } = api.store.require({ plural: 'inferenceservices', namespace: 'default', name });
  const conditions = (status?.conditions ?? []) as { type: string; status: string; message: string }[];
  return conditions.find((one) => one.type === type);
}
const ready = (name: string): boolean => condition(name, 'ServerReady')?.status === 'True';

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1200; tries += 1) {
    if (isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`it did not happen: ${JSON.stringify(logged.slice(-8))}`);
}

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
