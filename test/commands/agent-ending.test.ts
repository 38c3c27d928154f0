import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLUSTER_MODES } from '../support/hostile-modes.js';
import { HostileServer } from '../support/hostile-server.js';
import { writeKubeconfig } from '../support/kubeconfig-file.js';
import { type CliResult, cliEnvironment, run, RUN_JS } from '../support/run-cli.js';
import { temporaryFolder } from '../support/sparse-file.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let cluster: HostileServer;

beforeEach(async () => {
  folder = await temporaryFolder();
  cluster = await HostileServer.start(CLUSTER_MODES['never answers']);
});
afterEach(() => Promise.all([cluster.close(), folder.remove()]));

/** An agent that waits for its cluster, which never answers, when it is sent these signals at once; equal ones would be one. */
async function agentSent(...signals: readonly NodeJS.Signals[]): Promise<CliResult> {
  const server = join(folder.path, 'llama-server');
  writeFileSync(server, '#!/bin/sh\necho "version: 0.6.0-dev (build 11549, commit abc) --model --port"\n');
  chmodSync(server, 0o755);
  const kubeconfig = await writeKubeconfig({ silent: { server: cluster.url } });
  const words = ['--llama-server', server, '--kubeconfig', kubeconfig, '--accelerator', 'cpu', '--port', '0'];
  const env = cliEnvironment({ LLMKUBE_STATE_DIR: join(folder.path, 'state') });
  return run(process.execPath, [RUN_JS, 'agent', 'run', ...words], env, async (child) => {
    while (cluster.requestCount === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    for (const signal of signals) child.kill(signal);
  });
}

test.each<NodeJS.Signals>(['SIGTERM', 'SIGINT'])('%s ends an agent whose cluster never answers', async (signal) => {
  const { stderr, exitCode } = await agentSent(signal);
  expect(exitCode).toBe(0);
  // Whether a request is under way that cannot be given up is a matter of moments.
  expect(stderr).toMatch(/agent ended( without an answer of the cluster)?; its servers go on/);
});

test('a second signal ends the agent at once', async () => {
  const { stderr, exitCode } = await agentSent('SIGTERM', 'SIGINT');
  // Which of the two comes first is the system's choice.
  expect([130, 143]).toContain(exitCode);
  expect(stderr).not.toContain('agent ended');
});
