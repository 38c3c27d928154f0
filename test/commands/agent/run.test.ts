import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { hostConfigMap } from '../../../src/lib/kube/hosts.js';
import { AgentRig, STAND_IN, until } from '../../support/agent-rig.js';
import { runCli } from '../../support/run-cli.js';

let rig: AgentRig;
beforeEach(async () => {
  rig = await AgentRig.start();
});
afterEach(() => rig.stop());

describe('the agent, once', () => {
  test('starts what fits, refuses what does not beside it, and takes both over the next time', async () => {
    rig.deploy('one');
    rig.deploy('two');
    const first = await rig.agent();
    expect(first.exitCode).toBe(0);
    expect(JSON.parse(first.stderr.split('\n')[0] ?? '')).toMatchObject({ msg: 'agent started', build: 'b11549' });
    const reasons = [rig.seen('one').reason, rig.seen('two').reason].sort();
    expect(reasons).toEqual(['InsufficientMemory', 'Tight']);
    const refused = rig.seen('one').reason === 'Tight' ? 'two' : 'one';
    expect(rig.seen(refused)).toMatchObject({
      scheduling: 'InsufficientMemory',
      message: expect.stringMatching(
        /^insufficient memory for (one|two) .*\n {2}Estimated requirement: ~\d+MB\n {2}Available budget: /,
      ),
    });
    const tight = refused === 'two' ? 'one' : 'two';
    expect(rig.seen(tight).message).toMatch(
      /^needs 505MB of 900MB \(.*\)\n(?:.*\n)*the prompt cache \(up to 8GB\) can grow after start-up and push it .* over the budget/,
    );
    const second = await rig.agent();
    expect(second.stderr).toContain('"msg":"adopted"');
    expect(rig.starts()).toHaveLength(1);
    expect(rig.starts()[0]?.words).toContain('--ctx-size 512');
  });

  test('a service that changes while it loads is started anew at once, which is no failure of it', async () => {
    rig.deploy('one');
    const running = rig.agent([], { LOADS: '1' });
    await until(() => rig.starts().length === 1);
    rig.patch('one', { contextSize: 256 });
    const { stderr } = await running;
    expect(stderr).not.toContain('"msg":"crashed"');
    expect(rig.starts().map(({ words }) => /--ctx-size (\d+)/.exec(words)?.[1])).toEqual(['512', '256']);
  });

  test('a service whose process is replaced comes before one that waits for memory', async () => {
    rig.deploy('one');
    const running = rig.agent([], { LOADS: '1' });
    await until(() => rig.starts().length === 1);
    rig.deploy('two');
    await until(() => rig.seen('two').reason === 'InsufficientMemory');
    rig.patch('one', { contextSize: 256 });
    await running;
    expect(rig.starts().map(({ words }) => /--ctx-size (\d+)/.exec(words)?.[1])).toEqual(['512', '256']);
    expect([rig.seen('one').reason, rig.seen('two').reason]).toEqual(['Tight', 'InsufficientMemory']);
  });

  test('what runs is said to fit by the agent that takes it over, where the one before could not say so', async () => {
    rig.deploy('one');
    await rig.agent();
    const key = rig.keyOf('one');
    const refused = { type: 'MemoryFit', status: 'False', reason: 'InsufficientMemory', message: 'no room' };
    rig.api.store.setStatus(key, { conditions: [{ ...refused, lastTransitionTime: new Date().toISOString() }] });
    expect((await rig.agent()).stderr).toContain('"msg":"adopted"');
    expect(rig.seen('one')).toMatchObject({
      reason: 'Fits',
      message: expect.stringMatching(/^needs \d+MB, as it was/),
    });
  });

  test('a second agent of the same name does not run beside the first, and one that was killed is followed', async () => {
    rig.deploy('one');
    const first = rig.agent([], { LOADS: '1' });
    await until(() => rig.starts().length === 1);
    const second = await rig.agent(['--port', '0']);
    expect(second.stderr).toMatch(
      /Error: the agent "box" runs on this machine already, as process \d+\n {2}Suggestion: /,
    );
    expect(second.exitCode).toBe(2);
    rig.patch('one', { contextSize: 256 });
    await first;
    expect((await rig.agent()).stderr).toContain('"msg":"adopted"');
    expect(rig.starts()).toHaveLength(2);
  });

  test('a name that another machine’s agent was heard of by lately starts nothing', async () => {
    rig.deploy('one');
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
      rig.api.inject({
        path: /configmaps\/llmkube-host-box/,
        method: 'GET',
        json: hostConfigMap({ ...report, ...amounts, build: undefined }, 'default') as never,
      });
    };
    heard(new Date().toISOString());
    const { stderr, exitCode } = await rig.agent();
    expect(stderr).toMatch(/Error: an agent "box" of another machine, or with another state folder, was heard of at /);
    expect([exitCode, rig.starts()]).toEqual([2, []]);
    heard('2026-01-01T00:00:00Z');
    expect((await rig.agent()).exitCode).toBe(0);
    expect(rig.starts()).toHaveLength(1);
  });

  test('a llama-server that is upgraded meanwhile is asked again before the next start', async () => {
    rig.deploy('one');
    await rig.agent();
    rig.deploy('two', { 'inference.llmkube.dev/memory-budget': '9Gi' });
    rig.patch('one', { suspend: true });
    const running = rig.agent([], { LOADS: '1' });
    await until(() => rig.starts().length === 2);
    writeFileSync(rig.at('llama-server'), STAND_IN.replace('--verbosity ', ''));
    rig.patch('two', { contextSize: 256 });
    await running;
    expect(rig.starts().map(({ words }) => words.includes('--verbosity'))).toEqual([true, true, false]);
  });

  test('a budget that cannot be read starts nothing, and the condition names it', async () => {
    rig.deploy('one', { 'inference.llmkube.dev/memory-budget': 'plenty' });
    await rig.agent();
    expect(rig.seen('one')).toMatchObject({ reason: 'MemoryCheckFailed', scheduling: 'MemoryCheckFailed' });
    expect(rig.seen('one').message).toContain('inference.llmkube.dev/memory-budget says "plenty"');
    expect(rig.starts()).toEqual([]);
  });

  test('of the environment of a service its server has what the check counts, and its key; the rest is named', async () => {
    const data = { key: Buffer.from('sesame').toString('base64') };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys', namespace: 'default' }, data };
    rig.api.inject({ path: /secrets\/keys/, method: 'GET', json: secret as never });
    rig.deployModel('one');
    const env = [
      { name: 'LLAMA_ARG_CACHE_RAM', value: '0' },
      { name: 'LLAMA_API_KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'key' } } },
      ...['LD_PRELOAD', 'LLAMA_ARG_MODEL', 'LLAMA_ARG_MMPROJ_URL'].map((name) => ({ name, value: '/tmp/x' })),
    ];
    rig.deployService('one', {}, { env });
    await rig.agent();
    const { message } = rig.seen('one');
    expect(message).not.toContain('prompt cache');
    expect(message).toContain('not passed on from spec.env: LD_PRELOAD, LLAMA_ARG_MODEL, LLAMA_ARG_MMPROJ_URL');
    const [words] = rig.starts().map((start) => start.words);
    expect(words).toMatch(/ LLAMA_ARG_CACHE_RAM=0 LLAMA_API_KEY=sesame$/);
    expect(message).not.toContain('sesame');
  });

  test('a key of a Secret that is not there starts nothing, and the condition names both', async () => {
    rig.deployModel('one');
    const valueFrom = { secretKeyRef: { name: 'keys', key: 'absent' } };
    rig.deployService('one', {}, { env: [{ name: 'LLAMA_API_KEY', valueFrom }] });
    await rig.agent();
    expect(rig.seen('one')).toMatchObject({
      reason: 'MemoryCheckFailed',
      message: expect.stringMatching(
        /^there is not the Secret "keys" in default with the key "absent" for LLAMA_API_KEY/,
      ),
    });
  });

  test.each(['--hf_repo', '--hf-repo=a/b'])('%s among extraArgs is refused however it is spelled', async (word) => {
    rig.deployModel('one');
    rig.deployService('one', {}, { extraArgs: [word] });
    await rig.agent();
    expect(rig.seen('one').message).toMatch(/^extraArgs holds --hf.repo\S*, which is the agent's to say/);
  });

  test('a service whose Model is not there says so, with its name, and starts once it is', async () => {
    rig.deployService('one');
    await rig.agent();
    expect(rig.seen('one')).toMatchObject({
      reason: 'ModelNotFound',
      message: 'there is no Model "one" in default\n  Suggestion: create it, or correct spec.modelRef',
      scheduling: 'ModelNotFound',
    });
    rig.deployModel('one');
    await rig.agent();
    expect(rig.seen('one').reason).toBe('Tight');
  });

  test('a start that cannot be written down does not happen, and the condition says why', async () => {
    rig.deploy('one');
    mkdirSync(rig.at('state/agents/box/default.one.json/in-the-way'), { recursive: true, mode: 0o700 });
    await rig.agent();
    expect(rig.seen('one')).toMatchObject({
      reason: 'MemoryCheckFailed',
      message: expect.stringMatching(/^default\.one\.json in the state folder .*agents\/box is a folder/),
    });
    expect(rig.starts()).toEqual([]);
  });

  test.each([
    ['memory-budget', '100Mi', 'as given by the annotation inference.llmkube.dev/memory-budget'],
    ['memory-fraction', '0.0001', /× 0\.0001 fraction.*, by the annotation inference\.llmkube\.dev\/memory-fraction\)/],
  ])('a refusal by the annotation %s names it', async (name, value, said) => {
    rig.deploy('one', { [`inference.llmkube.dev/${name}`]: value });
    await rig.agent();
    expect(rig.seen('one').message.split('\n')[2]).toMatch(said);
    expect(rig.seen('one').message).not.toContain('--memory');
  });

  test('a refusal by the agent’s own budget names the flag, or the variable, that said it', async () => {
    rig.deploy('one');
    await rig.agent(['--memory-budget', '100Mi']);
    expect(rig.seen('one').message).toContain('(as given by --memory-budget)');
    rig.deploy('two');
    await rig.agentOf({ LLMKUBE_AGENT_MEMORY_BUDGET: '100Mi' });
    expect(rig.seen('two').message).toContain('(as given by LLMKUBE_AGENT_MEMORY_BUDGET)');
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
    rig.deploy('one', {}, source);
    await rig.agent();
    expect(rig.seen('one')).toMatchObject({ reason: 'MemoryCheckFailed', message: expect.stringContaining(said) });
  });

  test('what another agent has claimed, or is for another one, is left alone', async () => {
    rig.deploy('theirs', {
      'inference.llmkube.dev/claimed-by': 'mac-2',
      'inference.llmkube.dev/claim-heartbeat': 'now',
    });
    rig.deploy('elsewhere', { 'inference.llmkube.dev/agent': 'mac-2' });
    rig.deploy('mine');
    await rig.agent();
    expect(rig.seen('theirs').annotations['inference.llmkube.dev/claimed-by']).toBe('mac-2');
    expect(rig.seen('elsewhere').annotations['inference.llmkube.dev/claimed-by']).toBeUndefined();
    expect(rig.seen('mine').annotations['inference.llmkube.dev/claimed-by']).toBe('box');
    expect(rig.starts()).toHaveLength(1);
  });

  test('folders may be said one by one, and in the environment with commas', async () => {
    rig.deploy('one');
    await rig.agent(['--allowed-model-roots', '/nowhere']);
    expect(rig.seen('one').reason).toBe('Tight');
    rig.deploy('two', {}, rig.at('tiny.gguf'));
    const variables = {
      LLMKUBE_AGENT_ALLOWED_DOWNLOAD_HOSTS: 'a, b',
      LLMKUBE_AGENT_INFERENCE_SERVICE_ALLOWLIST: 'x,one',
    };
    await rig.agent([], variables);
    expect(rig.seen('two').reason).toBeUndefined();
  });

  test('memory-check warn starts what does not fit, and says so', async () => {
    rig.deploy('one', { 'inference.llmkube.dev/memory-budget': '100Mi', 'inference.llmkube.dev/memory-check': 'warn' });
    await rig.agent();
    expect(rig.seen('one')).toMatchObject({
      reason: 'Overruled',
      message: expect.stringMatching(
        /^started all the same, since the annotation inference\.llmkube\.dev\/memory-check says warn\ninsufficient memory/,
      ),
    });
    expect(rig.starts()).toHaveLength(1);
  });
});
