import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandsOf, EVERY_COMMAND } from '../../support/every-command.js';
import { HostileServer } from '../../support/servers/hostile-server.js';
import { writeKubeconfig } from '../../support/kube/kubeconfig-file.js';
import { runCli } from '../../support/run-cli.js';
import { temporaryFolder } from '../../support/sparse-file.js';
import { writeTinyModel } from '../../support/models/tiny-model.js';

const SECRET = 'hunter2hunter2';
/** Colours, clears the screen, hides what follows, sets a title, turns text around, breaks lines in two ways. */
const ACTING = '\u001b[31m\u001b[2J\u001b[8m\u001b]0;x\u0007\u202e\u009b31m\u2028\u200b';
/** What begins a line of its own where a name is not kept on one. */
const LINE = 'FITS  whatever follows';
const ODD = `x\n${LINE}${ACTING}https://u:${SECRET}@h/?token=${SECRET}`;
const MACHINE = ['--accelerator', 'cpu', '--system-memory', '64Gi', '--in-use', '0'];

/** Not even colours, which are for terminals. */
function acts(text: string): boolean {
  return /[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text);
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let cluster: HostileServer;
let env: Record<string, string>;
const path = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  const model = path('m\u001b[2J\u202e.gguf');
  await writeTinyModel(model, [
    ['general.name', ODD, 'str'],
    ['general.file_type', 1, 'u32'],
    [`general.${ACTING}`, [ODD, ODD], '[str]'],
  ]);
  const metadata = { name: 'tiny', namespace: ODD, annotations: { 'inference.llmkube.dev/claimed-by': ODD } };
  const status = { phase: ODD, schedulingMessage: ODD, conditions: [{ type: ODD, status: 'True', message: ODD }] };
  const host = { agent: ODD, accelerator: ODD, totalBytes: 1, inUseBytes: 1, promisedBytes: 1, budgetBytes: 1 };
  const report = JSON.stringify({ ...host, gpuBudgetBytes: [], services: [ODD], heartbeat: ODD });
  const object = { metadata, spec: { source: ODD, modelRef: ODD }, status, data: { 'host.json': report } };
  const body = JSON.stringify({ ...object, items: [object] });
  cluster = await HostileServer.start((socket) =>
    socket.write(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    ),
  );
  const quoted = JSON.stringify(ODD);
  writeFileSync(
    path('odd.yaml'),
    `models:\n  ${quoted}:\n    source: ${JSON.stringify(model)}\n    name: ${quoted}\n    description: ${quoted}\n    use_cases: [${quoted}]\n`,
  );
  mkdirSync(path(`.lmstudio/models/x\u001b[2J/y\u202e`), { recursive: true });
  writeFileSync(path(`.lmstudio/models/x\u001b[2J/y\u202e/z\u0007.gguf`), 'GGUF');
  mkdirSync(path('.ollama/models/manifests/registry.ollama.ai/library/tiny'), { recursive: true });
  writeFileSync(path('.ollama/models/manifests/registry.ollama.ai/library/tiny/\u001b[2J'), ODD);
  mkdirSync(path('state/agents/mac'), { recursive: true, mode: 0o700 });
  writeFileSync(path('state/agents/mac/default.tiny.log'), `${ODD}\nand ${ODD}`);
  const entry = { pid: process.pid, startedAt: ODD, who: ODD, argvHash: ODD, decidedAt: ODD, state: 'promised' };
  const requirement = { hostBytes: 1, mappedBytes: 0, gpuBytes: [] };
  writeFileSync(path('state/ledger.json'), JSON.stringify({ version: 1, entries: [{ ...entry, requirement }] }));
  writeFileSync(path('server.log'), `${ODD}\nllama_kv_cache: ${ODD.replaceAll(' ', '')} KV buffer size = 1.00 MiB\n`);
  env = {
    KUBECONFIG: await writeKubeconfig({ hostile: { server: cluster.url } }),
    LLMKUBE_STATE_DIR: path('state'),
    HOME: folder.path,
    MODEL: model,
  };
});
afterAll(() => Promise.all([cluster.close(), folder.remove()]));

const CATALOG = ['--catalog', 'FOLDER/odd.yaml'];
const COMMANDS: readonly (readonly string[])[] = [
  ['inspect', 'MODEL', '--metadata', '--tensors'],
  ['check-memory', 'MODEL', ...MACHINE, '--html', 'FOLDER/page.html', '--extra-args', `--api-key ${SECRET}`],
  ['check-memory', 'MODEL', ...MACHINE, '--system-memory', '1Mi'],
  ['fit', 'MODEL', ...MACHINE],
  ['compare', 'MODEL', 'MODEL', ...MACHINE],
  ['compare-log', 'FOLDER/server.log', 'MODEL', '--accelerator', 'cpu'],
  ['deploy', 'MODEL', '--dry-run', 'client', '-o', 'yaml', '--memory-check', 'off', '--accelerator', 'cpu'],
  ['deploy', 'MODEL', '--dry-run', 'client', '-o', 'json', '--memory-check', 'off', '--accelerator', 'cpu'],
  ['catalog', 'list', ...CATALOG],
  ['catalog', 'info', ODD, ...CATALOG],
  ['catalog', 'check', ...CATALOG, ...MACHINE],
  ['catalog', 'validate', ...CATALOG],
  ['list'],
  ['list', 'models'],
  ['status', 'tiny'],
  ['hosts'],
  ['delete', 'tiny'],
  ['ledger'],
  ['cache', 'info', '--bogus', ODD],
  ['exec', '--', '/bin/true', '-m', 'MODEL', '--api-key', SECRET],
  ['inspect', `lmstudio:nothing`, '--offline'],
  ['inspect', 'ollama:tiny:other', '--offline'],
  ['inspect', `hf:a/b:${ODD}`, '--offline'],
  ['deploy', 'MODEL', '--memory-check', 'off', '--accelerator', 'cpu', '--name', 'tiny', '--timeout', '2s'],
  ['check-memory', 'MODEL', '--cluster'],
  ['agent', 'logs', 'default/tiny', '--agent-id', 'mac'],
  ['agent', 'manifests', '-n', ODD],
  ['agent', 'install', '--dry-run', '--', '-n', ODD],
  ['agent', 'status', '--port', '1'],
  ['agent', 'run', '--once', '--agent-id', 'mac', '--accelerator', 'cpu', '--llama-server', ODD],
  ['cache', 'clear'],
  ['completion', 'bash', ...CATALOG],
  ['doctor'],
  ['version', '--bogus', ODD],
];
/** What nothing from outside gets into, and would change this machine. */
const LEFT_OUT = ['agent uninstall'];
/** They print no JSON. */
const PLAIN = ['exec', 'completion', 'agent logs', 'agent run'];

/** They show the lines of a file. */
const OF_LINES = ['agent logs', 'compare-log', 'agent install', 'agent manifests'];

/** What the environment may say, and who listens. */
const VARIABLES: readonly (readonly [string, readonly string[]])[] = [
  ['HF_ENDPOINT', ['inspect', 'hf:a/b']],
  ['HF_TOKEN', ['inspect', 'hf:a/b']],
  ['HTTPS_PROXY', ['inspect', 'hf:a/b']],
  ['KUBECONFIG', ['list']],
  ['LLMKUBE_ACCELERATOR', ['fit', 'llama-3.2-3b']],
  ['LLMKUBE_CATALOG', ['catalog', 'list']],
  ['LLMKUBE_CTX_SIZE', ['check-memory', 'llama-3.2-3b']],
  ['LLMKUBE_LLAMA_CPP', ['check-memory', 'llama-3.2-3b']],
  ['LLMKUBE_NAMESPACE', ['list']],
  ['LLMKUBE_STATE_DIR', ['ledger']],
  ['MODELSCOPE_DOMAIN', ['inspect', 'ms:a/b']],
  ['OLLAMA_MODELS', ['inspect', 'ollama:tiny']],
  ['XDG_CACHE_HOME', ['cache', 'info']],
];

describe('nothing from outside acts on a terminal, and no secret is repeated', () => {
  test.each(COMMANDS.map((words) => [words.slice(0, 2).join(' ').replace(ODD, 'ODD'), words] as const))(
    'by %s',
    async (_, words) => {
      const filled = words.map((word) => word.replace('FOLDER', folder.path).replace('MODEL', env.MODEL ?? ''));
      const isPlain = commandsOf([words]).some((name) => PLAIN.includes(name));
      for (const more of isPlain ? [[]] : [[], ['--json']]) {
        const { stdout, stderr } = await runCli([...filled, ...more], env);
        expect([stdout + stderr, acts(stdout + stderr)]).toEqual([stdout + stderr, false]);
        expect(stdout + stderr).not.toContain(SECRET);
        expect(stderr).not.toMatch(/unexpected \w*Error/);
        if (!commandsOf([words]).some((name) => OF_LINES.includes(name)))
          expect(`\n${stdout}${stderr}`).not.toContain(`\n${LINE}`);
      }
    },
  );

  test('by any command', () => {
    expect([...commandsOf(COMMANDS), ...LEFT_OUT].sort()).toEqual(EVERY_COMMAND);
  });

  test.each(VARIABLES)('by a variable: %s', async (name, words) => {
    // Of a path, an address is none.
    const changed = { ...env, [name]: /KUBECONFIG|HOME/.test(name) ? `x${ACTING}` : ODD };
    const limit = words[0] === 'inspect' ? ['--read-timeout=2s'] : [];
    for (const typed of [[...words, ...limit], ['doctor']]) {
      const { stdout, stderr } = await runCli(typed, changed);
      expect([typed, stdout + stderr, acts(stdout + stderr)]).toEqual([typed, stdout + stderr, false]);
      expect(stdout + stderr).not.toContain(SECRET);
      expect(stderr).not.toMatch(/unexpected \w*Error/);
    }
  });

  test('in a page', () => {
    const page = readFileSync(path('page.html'), 'utf8');
    expect(page).not.toContain(SECRET);
    expect(acts(page)).toBe(false);
  });
});
