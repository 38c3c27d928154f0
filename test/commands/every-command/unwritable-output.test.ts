import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mapLimited } from '../../../src/lib/source/map-limited.js';
import { commandsOf, EVERY_COMMAND } from '../../support/every-command.js';
import { HostileServer } from '../../support/servers/hostile-server.js';
import { writeKubeconfig } from '../../support/kube/kubeconfig-file.js';
import { cliEnvironment, RUN_JS } from '../../support/run-cli.js';
import { temporaryFolder } from '../../support/sparse-file.js';
import { writeTinyModel } from '../../support/models/tiny-model.js';

jest.setTimeout(180_000);

const OUTPUT_FAILED = 5;
const READER_GONE = 141;
const MACHINE = ['--accelerator', 'cpu', '--system-memory', '64Gi', '--in-use', '0'];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let model: string;
let cluster: HostileServer;
let kubeconfig: string;
const OBJECT = {
  metadata: { name: 'tiny', namespace: 'default', uid: 'u' },
  spec: { source: 'hf:a/b', modelRef: 'tiny' },
  status: { phase: 'Ready' },
  data: { 'host.json': '{}' },
};
/** Those that print nothing of their own on stdout. */
const SILENT = ['agent install', 'agent run', 'agent uninstall', 'exec'];

beforeAll(async () => {
  folder = await temporaryFolder();
  model = join(folder.path, 'tiny.gguf');
  await writeTinyModel(model);
  writeFileSync(join(folder.path, 'server.log'), 'llama_kv_cache: CPU KV buffer size = 1.00 MiB\n');
  mkdirSync(join(folder.path, 'state/agents/mac'), { recursive: true, mode: 0o700 });
  writeFileSync(join(folder.path, 'state/agents/mac/default.tiny.log'), 'main: starting\n');
  const body = JSON.stringify({ ...OBJECT, items: [OBJECT] });
  cluster = await HostileServer.start((socket) =>
    socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
  );
  kubeconfig = await writeKubeconfig({ here: { server: cluster.url } });
});
afterAll(() => Promise.all([cluster.close(), folder.remove()]));

/** Every command that answers, as text and as JSON. */
function commands(): string[][] {
  const texts = [
    ['check-memory', model, ...MACHINE],
    ['fit', model, ...MACHINE],
    ['compare', model, model, ...MACHINE],
    ['inspect', model, '--tensors'],
    ['catalog', 'list'],
    ['catalog', 'info', 'llama-3.2-3b'],
    ['ledger'],
    ['cache', 'info'],
    ['cache', 'clear'],
    ['compare-log', join(folder.path, 'server.log'), model, '--accelerator', 'cpu'],
    ['doctor'],
    ['version'],
    ['list'],
    ['list', 'models'],
    ['status', 'tiny'],
    ['hosts'],
    ['delete', 'tiny'],
    ['agent', 'manifests'],
    ['agent', 'status', '--port', '1'],
    ['deploy', model, '--dry-run', 'client', '--accelerator', 'cpu', '--memory-check', 'off'],
  ];
  const logs = ['agent', 'logs', 'default/tiny', '--agent-id', 'mac'];
  const slow = [
    ['catalog', 'check', '--offline', ...MACHINE],
    ['catalog', 'validate', '--offline'],
  ];
  return [['completion', 'bash'], logs, ...slow, ...texts.flatMap((words) => [words, [...words, '--json']])];
}

/** What oclif and the quick start answer themselves. */
const HELP = [['--version'], ['--help'], ['help', 'fit'], ['check-memory', '--help'], ['catalog']];

function exitCodeOf(words: readonly string[], stdout: number | 'pipe'): Promise<number | null> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [RUN_JS, ...words], {
      env: cliEnvironment({ LLMKUBE_STATE_DIR: join(folder.path, 'state'), KUBECONFIG: kubeconfig }),
      stdio: ['ignore', stdout, 'ignore'],
    });
    // A reader that goes away at once, as `head -c 0` does.
    child.stdout?.destroy();
    child.on('close', resolve);
  });
}

describe('an answer that cannot be written is no verdict', () => {
  test('of any command', () => {
    expect([...commandsOf(commands()), ...SILENT].sort()).toEqual(EVERY_COMMAND);
  });

  const whereFull = existsSync('/dev/full') ? test : test.skip;
  whereFull('on a full disk: exit 5', async () => {
    const full = openSync('/dev/full', 'w');
    const codes = await mapLimited([...HELP, ...commands()], 2, async (words) => [
      words.join(' '),
      await exitCodeOf(words, full),
    ]);
    closeSync(full);
    expect(codes).toEqual([...HELP, ...commands()].map((words) => [words.join(' '), OUTPUT_FAILED]));
  });

  test('to a reader that is gone: as the shell has it', async () => {
    const codes = await mapLimited([...HELP, ...commands()], 2, async (words) => [
      words.join(' '),
      await exitCodeOf(words, 'pipe'),
    ]);
    expect(codes).toEqual([...HELP, ...commands()].map((words) => [words.join(' '), READER_GONE]));
  });
});
