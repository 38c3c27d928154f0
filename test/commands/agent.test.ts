import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostConfigMap } from '../../src/lib/kube/hosts.js';
import { KubeApi } from '../support/kube-api.js';
import { writeKubeconfig } from '../support/kubeconfig-file.js';
import { runCli, type CliResult } from '../support/run-cli.js';
import { temporaryFolder } from '../support/sparse-file.js';
import { writeTinyModel } from '../support/tiny-model.js';

let api: KubeApi;
let folder: { path: string; remove: () => Promise<void> };
let kubeconfig: string;
const at = (name: string): string => join(folder.path, name);

/** Lists the options that matter, and answers /health from the port that it is given; a context of 512 tokens loads for ever when told so. */
const STAND_IN = `#!${process.execPath}
const { argv } = process;
if (argv.includes('--version')) console.error('version: 0.6.0-dev (build 11549, commit abc)');
else if (argv.includes('--help')) console.log('--model --load-mode --verbosity --spec-type --spec-draft-model');
else {
  require('fs').appendFileSync(process.env.STARTS, process.pid + ' ' + argv.slice(2).join(' ') + '\\n');
  if (process.env.FAIL) { console.error('unable to allocate CPU buffer'); process.exit(7); }
  const loads = process.env.LOADS && argv.includes('512');
  require('http').createServer((_, answer) => answer.writeHead(loads ? 503 : 200).end('ok')).listen(Number(argv[argv.indexOf('--port') + 1]), '127.0.0.1');
}
`;

beforeEach(async () => {
  folder = await temporaryFolder();
  api = await KubeApi.start();
  kubeconfig = await writeKubeconfig({ double: { server: api.url } });
  writeFileSync(at('llama-server'), STAND_IN);
  chmodSync(at('llama-server'), 0o755);
  await writeTinyModel(at('tiny.gguf'));
});

afterEach(async () => {
  for (const { pid } of starts()) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  await api.close();
  await folder.remove();
});

function starts(): readonly { pid: number; words: string }[] {
  try {
    const lines = readFileSync(at('starts'), 'utf8').trim().split('\n');
    return lines.map((line) => ({ pid: Number.parseInt(line, 10), words: line.replace(/^\d+ /, '') }));
  } catch {
    return [];
  }
}

function deploy(name: string, annotations: Record<string, string> = {}, source = at('tiny.gguf')): void {
  const apiVersion = 'inference.llmkube.dev/v1alpha1';
  const own = { 'inference.llmkube.dev/agent': 'box', ...annotations };
  const metadata = { name, namespace: 'default', annotations: own };
  const key = (plural: string) => ({ plural, namespace: 'default', name });
  const once = { dryRun: false };
  const model = { source, format: 'gguf', hardware: { accelerator: 'metal' } };
  api.store.create(key('models'), { apiVersion, kind: 'Model', metadata, spec: model }, 'test', once);
  const endpoint = { port: 8080, path: '/', type: 'ClusterIP' };
  const spec = { modelRef: name, contextSize: 512, endpoint };
  api.store.create(key('inferenceservices'), { apiVersion, kind: 'InferenceService', metadata, spec }, 'test', once);
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 20));
}

interface Seen {
  readonly reason: string | undefined;
  readonly message: string;
  readonly scheduling: unknown;
  readonly annotations: Record<string, string>;
}

function seen(name: string): Seen {
  const { status, metadata } = api.store.require({ plural: 'inferenceservices', namespace: 'default', name });
  const conditions = (status?.conditions ?? []) as { type: string; reason: string; message: string }[];
  const fit = conditions.find(({ type }) => type === 'MemoryFit');
  return {
    reason: fit?.reason,
    message: fit?.message ?? '',
    scheduling: status?.schedulingStatus,
    annotations: metadata.annotations ?? {},
  };
}

function agent(flags: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  return agentOf(env, ['--memory-budget', '900Mi', ...flags]);
}

function agentOf(env: Readonly<Record<string, string>>, flags: readonly string[] = []): Promise<CliResult> {
  const own = ['--once', '--agent-id', 'box', '--accelerator', 'cpu', '--port', '0', '--log-format', 'json'];
  const places = [
    '--llama-server',
    at('llama-server'),
    '--allowed-model-roots',
    folder.path,
    '--kubeconfig',
    kubeconfig,
  ];
  const variables = { LLMKUBE_STATE_DIR: at('state'), STARTS: at('starts'), ...env };
  return runCli(['agent', 'run', ...own, ...places, ...flags], variables);
}

describe('the agent, once', () => {
  test('starts what fits, refuses what does not beside it, and takes both over the next time', async () => {
    deploy('one');
    deploy('two');
    const first = await agent();
    expect(first.exitCode).toBe(0);
    expect(JSON.parse(first.stderr.split('\n')[0] ?? '')).toMatchObject({ msg: 'agent started', build: 'b11549' });
    const reasons = [seen('one').reason, seen('two').reason].sort();
    expect(reasons).toEqual(['InsufficientMemory', 'Tight']);
    const refused = seen('one').reason === 'Tight' ? 'two' : 'one';
    expect(seen(refused)).toMatchObject({
      scheduling: 'InsufficientMemory',
      message: expect.stringMatching(
        /^insufficient memory for (one|two) .*\n {2}Estimated requirement: ~\d+MB\n {2}Available budget: /,
      ),
    });
    const second = await agent();
    expect(second.stderr).toContain('"msg":"adopted"');
    expect(starts()).toHaveLength(1);
    expect(starts()[0]?.words).toContain('--ctx-size 512');
  });

  test('a service that changes while it loads is started anew at once, which is no failure of it', async () => {
    deploy('one');
    const running = agent([], { LOADS: '1' });
    await until(() => starts().length === 1);
    const key = { plural: 'inferenceservices', namespace: 'default', name: 'one' };
    api.store.patch(key, { spec: { contextSize: 256 } }, 'test', { dryRun: false });
    const { stderr } = await running;
    expect(stderr).not.toContain('"msg":"crashed"');
    expect(starts().map(({ words }) => /--ctx-size (\d+)/.exec(words)?.[1])).toEqual(['512', '256']);
  });

  test('a service whose process is replaced comes before one that waits for memory', async () => {
    deploy('one');
    const running = agent([], { LOADS: '1' });
    await until(() => starts().length === 1);
    deploy('two');
    await until(() => seen('two').reason === 'InsufficientMemory');
    const key = { plural: 'inferenceservices', namespace: 'default', name: 'one' };
    api.store.patch(key, { spec: { contextSize: 256 } }, 'test', { dryRun: false });
    await running;
    expect(starts().map(({ words }) => /--ctx-size (\d+)/.exec(words)?.[1])).toEqual(['512', '256']);
    expect([seen('one').reason, seen('two').reason]).toEqual(['Tight', 'InsufficientMemory']);
  });

  test('what runs is said to fit by the agent that takes it over, where the one before could not say so', async () => {
    deploy('one');
    await agent();
    const key = { plural: 'inferenceservices', namespace: 'default', name: 'one' };
    const refused = { type: 'MemoryFit', status: 'False', reason: 'InsufficientMemory', message: 'no room' };
    api.store.setStatus(key, { conditions: [{ ...refused, lastTransitionTime: new Date().toISOString() }] });
    expect((await agent()).stderr).toContain('"msg":"adopted"');
    expect(seen('one')).toMatchObject({ reason: 'Fits', message: expect.stringMatching(/^needs \d+MB, as it was/) });
  });

  test('a second agent of the same name does not run beside the first, and one that was killed is followed', async () => {
    deploy('one');
    const first = agent([], { LOADS: '1' });
    await until(() => starts().length === 1);
    const second = await agent(['--port', '0']);
    expect(second.stderr).toMatch(
      /Error: the agent "box" runs on this machine already, as process \d+\n {2}Suggestion: /,
    );
    expect(second.exitCode).toBe(2);
    const key = { plural: 'inferenceservices', namespace: 'default', name: 'one' };
    api.store.patch(key, { spec: { contextSize: 256 } }, 'test', { dryRun: false });
    await first;
    expect((await agent()).stderr).toContain('"msg":"adopted"');
    expect(starts()).toHaveLength(2);
  });

  test('a name that another machine’s agent was heard of by lately starts nothing', async () => {
    deploy('one');
    const heard = (heartbeat: string) => {
      const report = {
        agent: 'box',
        instance: 'another',
        accelerator: 'cpu',
        heartbeat,
        services: [],
        gpuBudgetBytes: [],
      };
      const amounts = { totalBytes: 1, inUseBytes: 0, promisedBytes: 0, budgetBytes: 1 };
      api.inject({
        path: /configmaps\/llmkube-host-box/,
        method: 'GET',
        json: hostConfigMap({ ...report, ...amounts, build: undefined }, 'default') as never,
      });
    };
    heard(new Date().toISOString());
    const { stderr, exitCode } = await agent();
    expect(stderr).toMatch(/Error: an agent "box" of another machine was heard of at /);
    expect([exitCode, starts()]).toEqual([2, []]);
    heard('2026-01-01T00:00:00Z');
    expect((await agent()).exitCode).toBe(0);
    expect(starts()).toHaveLength(1);
  });

  test('a llama-server that is upgraded meanwhile is asked again before the next start', async () => {
    deploy('one');
    await agent();
    const key = { plural: 'inferenceservices', namespace: 'default', name: 'one' };
    deploy('two', { 'inference.llmkube.dev/memory-budget': '9Gi' });
    api.store.patch(key, { spec: { suspend: true } }, 'test', { dryRun: false });
    const running = agent([], { LOADS: '1' });
    await until(() => starts().length === 2);
    writeFileSync(at('llama-server'), STAND_IN.replace('--verbosity ', ''));
    api.store.patch({ ...key, name: 'two' }, { spec: { contextSize: 256 } }, 'test', { dryRun: false });
    await running;
    expect(starts().map(({ words }) => words.includes('--verbosity'))).toEqual([true, true, false]);
  });

  test('a budget that cannot be read starts nothing, and the condition names it', async () => {
    deploy('one', { 'inference.llmkube.dev/memory-budget': 'plenty' });
    await agent();
    expect(seen('one')).toMatchObject({ reason: 'MemoryCheckFailed', scheduling: 'MemoryCheckFailed' });
    expect(seen('one').message).toContain('inference.llmkube.dev/memory-budget says "plenty"');
    expect(starts()).toEqual([]);
  });

  test('a start that cannot be written down does not happen, and the condition says why', async () => {
    deploy('one');
    mkdirSync(at('state/agents/box/default.one.json/in-the-way'), { recursive: true, mode: 0o700 });
    await agent();
    expect(seen('one')).toMatchObject({
      reason: 'MemoryCheckFailed',
      message: expect.stringMatching(/^default\.one\.json in the state folder .*agents\/box is a folder/),
    });
    expect(starts()).toEqual([]);
  });

  test.each([
    ['memory-budget', '100Mi', 'as given by the annotation inference.llmkube.dev/memory-budget'],
    ['memory-fraction', '0.0001', /× 0\.0001 fraction.*, by the annotation inference\.llmkube\.dev\/memory-fraction\)/],
  ])('a refusal by the annotation %s names it', async (name, value, said) => {
    deploy('one', { [`inference.llmkube.dev/${name}`]: value });
    await agent();
    expect(seen('one').message.split('\n')[2]).toMatch(said);
    expect(seen('one').message).not.toContain('--memory');
  });

  test('a refusal by the agent’s own budget names the flag, or the variable, that said it', async () => {
    deploy('one');
    await agent(['--memory-budget', '100Mi']);
    expect(seen('one').message).toContain('(as given by --memory-budget)');
    deploy('two');
    await agentOf({ LLMKUBE_AGENT_MEMORY_BUDGET: '100Mi' });
    expect(seen('two').message).toContain('(as given by LLMKUBE_AGENT_MEMORY_BUDGET)');
  });

  test.each([
    ['LLMKUBE_AGENT_MEMORY_BUDGET', 'plenty'],
    ['LLMKUBE_AGENT_MEMORY_FRACTION', '7'],
    ['LLMKUBE_AGENT_PORT', 'x'],
    ['LLMKUBE_AGENT_LLAMA_SERVER_STARTUP_TIMEOUT', 'soon'],
  ])('a value of %s that cannot be is named by the variable', async (name, value) => {
    const { stderr, exitCode } = await runCli(['agent', 'run'], { [name]: value });
    expect(stderr).toMatch(new RegExp(`^Error: ${name} `));
    expect(exitCode).toBe(2);
  });

  test.each([
    ['a file that is not there', '/nowhere/a.gguf', 'is not a file on this host'],
    ['a file outside of the allowed folders', process.execPath, 'lies outside of the folders'],
    ['storage of the cluster', 'pvc://claim/a.gguf', 'cannot be read on this host'],
  ])('%s is refused with its reason', async (_what, source, said) => {
    deploy('one', {}, source);
    await agent();
    expect(seen('one')).toMatchObject({ reason: 'MemoryCheckFailed', message: expect.stringContaining(said) });
  });

  test('what another agent has claimed, or is for another one, is left alone', async () => {
    deploy('theirs', { 'inference.llmkube.dev/claimed-by': 'mac-2', 'inference.llmkube.dev/claim-heartbeat': 'now' });
    deploy('elsewhere', { 'inference.llmkube.dev/agent': 'mac-2' });
    deploy('mine');
    await agent();
    expect(seen('theirs').annotations['inference.llmkube.dev/claimed-by']).toBe('mac-2');
    expect(seen('elsewhere').annotations['inference.llmkube.dev/claimed-by']).toBeUndefined();
    expect(seen('mine').annotations['inference.llmkube.dev/claimed-by']).toBe('box');
    expect(starts()).toHaveLength(1);
  });

  test('folders may be said one by one, and in the environment with commas', async () => {
    deploy('one');
    await agent(['--allowed-model-roots', '/nowhere']);
    expect(seen('one').reason).toBe('Tight');
    deploy('two', {}, at('tiny.gguf'));
    const variables = {
      LLMKUBE_AGENT_ALLOWED_DOWNLOAD_HOSTS: 'a, b',
      LLMKUBE_AGENT_INFERENCE_SERVICE_ALLOWLIST: 'x,one',
    };
    await agent([], variables);
    expect(seen('two').reason).toBeUndefined();
  });

  test('memory-check warn starts what does not fit, and says so', async () => {
    deploy('one', { 'inference.llmkube.dev/memory-budget': '100Mi', 'inference.llmkube.dev/memory-check': 'warn' });
    await agent();
    expect(seen('one')).toMatchObject({
      reason: 'Overruled',
      message: expect.stringMatching(
        /^started all the same, since the annotation inference\.llmkube\.dev\/memory-check says warn\ninsufficient memory/,
      ),
    });
    expect(starts()).toHaveLength(1);
  });
});
