import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { ExecCredentials } from '../../../../src/lib/kube/client/exec-credentials.js';
import { STAND_IN } from '../../../support/agent-rig.js';
import { writeKubeconfig } from '../../../support/kube/kubeconfig-file.js';
import { cliEnvironment, RUN_JS } from '../../../support/run-cli.js';

/** What a plugin does before it starts another program, and after. */
type Script = readonly [string, string];

let pids: string;
beforeEach(() => {
  pids = join(mkdtempSync(join(tmpdir(), 'llmkube-plugin-')), 'pids');
});

/** A plugin that says which processes it is made of, on a line. */
const shell = (before: string, after: string) => ({
  apiVersion: 'client.authentication.k8s.io/v1',
  command: '/bin/sh',
  args: ['-c', `${before}; sleep 60 & echo $$ $! >> ${pids}; ${after}`],
  interactiveMode: 'Never',
});
const HANGS: Script = ['true', 'wait'];
const HEEDS_NO_SIGNAL: Script = ["trap '' TERM INT HUP", 'sleep 60'];

/** Those of all plugins, once there is one. */
async function started(): Promise<readonly number[]> {
  while (!existsSync(pids) || !readFileSync(pids, 'utf8').endsWith('\n')) await delay(20);
  return readFileSync(pids, 'utf8').trim().split(/\s/).map(Number);
}

/** What has ended may wait for whoever reaps it. */
function isRunning(pid: number): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z');
  } catch {
    return false;
  }
}

/** What was ended takes a moment to be gone on a busy machine. */
async function leftOf(processes: readonly number[]): Promise<readonly number[]> {
  for (let looks = 0; looks < 100 && processes.some(isRunning); looks++) await delay(20);
  return processes.filter(isRunning);
}

describe('an exec plugin and what it started', () => {
  test.each<[NodeJS.Signals, Script]>([
    ['SIGTERM', HANGS],
    ['SIGTERM', HEEDS_NO_SIGNAL],
    ['SIGINT', HEEDS_NO_SIGNAL],
    ['SIGHUP', HANGS],
  ])('end with a command that %s ends (%j)', async (signal, script) => {
    const user = { exec: shell(...script) };
    const kubeconfig = await writeKubeconfig({ none: { server: 'https://127.0.0.1:1', user } });
    const args = [RUN_JS, 'list', '--kubeconfig', kubeconfig];
    const command = spawn(process.execPath, args, { env: cliEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
    const printed: string[] = [];
    for (const stream of [command.stdout, command.stderr]) stream.on('data', (text) => printed.push(String(text)));
    const processes = await started();
    command.kill(signal);
    expect(await once(command, 'close')).toEqual([null, signal]);
    expect(await leftOf(processes)).toEqual([]);
    expect(printed.join('')).toBe('');
  });

  test('end with an agent that is ended', async () => {
    const user = { exec: shell(...HEEDS_NO_SIGNAL) };
    const kubeconfig = await writeKubeconfig({ none: { server: 'https://127.0.0.1:1', user } });
    const home = join(pids, '..');
    const server = join(home, 'llama-server');
    writeFileSync(server, STAND_IN, { mode: 0o755 });
    const args = [RUN_JS, 'agent', 'run', '--kubeconfig', kubeconfig, '--port', '0', '--llama-server', server];
    const env = cliEnvironment({ HOME: home, XDG_STATE_HOME: home });
    const agent = spawn(process.execPath, args, { env, stdio: 'ignore' });
    await started();
    agent.kill('SIGTERM');
    await once(agent, 'close');
    expect(await leftOf(await started())).toEqual([]);
  });

  test('are ended at the deadline, whoever of them keeps the output open', async () => {
    const credentials = new ExecCredentials(shell('true', 'exit 0'), { name: 'me' }, 300);
    await expect(credentials.refresh(undefined)).rejects.toMatchObject({
      message: 'no credentials for the cluster: its plugin did not end within 0.3 s',
    });
    expect(await leftOf(await started())).toEqual([]);
  });

  test('are ended when whoever waits for it gives up', async () => {
    const giveUp = new AbortController();
    const refreshed = new ExecCredentials(shell(...HEEDS_NO_SIGNAL), { name: 'me' }).refresh(giveUp.signal);
    const processes = await started();
    giveUp.abort();
    await expect(refreshed).rejects.toMatchObject({ name: 'AbortError' });
    expect(await leftOf(processes)).toEqual([]);
  });

  test('may be a browser, which goes on once there is a credential', async () => {
    const credential = JSON.stringify({ status: { token: 'abcdefghijkl' } });
    const plugin = shell('exec 3>&1 >/dev/null 2>&1', `echo '${credential}' >&3`);
    plugin.args[1] = plugin.args[1]?.replace('sleep 60 &', 'sleep 60 3>&- &') ?? '';
    const user = { name: 'me' };
    await new ExecCredentials(plugin, user).refresh(undefined);
    const [, browser = 0] = await started();
    expect([user, isRunning(browser)]).toEqual([{ name: 'me', token: 'abcdefghijkl' }, true]);
    process.kill(browser, 'SIGKILL');
  });

  test('leave no listener behind', async () => {
    const names = ['exit', 'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
    const before = names.map((name) => process.listenerCount(name));
    await expect(
      new ExecCredentials({ command: '/nowhere/plugin' }, { name: 'me' }).refresh(undefined),
    ).rejects.toMatchObject({
      message: 'no credentials for the cluster: the plugin "/nowhere/plugin" is not installed',
    });
    expect(names.map((name) => process.listenerCount(name))).toEqual(before);
  });
});
