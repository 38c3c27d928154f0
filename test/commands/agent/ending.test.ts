import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentRig } from '../../support/agent-rig.js';
import { ApiFailure } from '../../support/kube/kube-types.js';
import { CLUSTER_MODES } from '../../support/servers/hostile-modes.js';
import { HostileServer } from '../../support/servers/hostile-server.js';
import { writeKubeconfig } from '../../support/kube/kubeconfig-file.js';
import { type CliResult, cliEnvironment, run, RUN_JS } from '../../support/run-cli.js';
import { temporaryFolder } from '../../support/sparse-file.js';

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

const FORBIDDEN = new ApiFailure(403, 'Forbidden', 'not you');

test('a single round ends with what the cluster refuses, and names no class of this program', async () => {
  const rig = await AgentRig.start();
  rig.api.inject({ path: /inferenceservices/, method: 'GET', failure: FORBIDDEN, times: 99 });
  const { stderr, exitCode } = await rig.agent();
  await rig.stop();
  expect(stderr).toMatch(/Error: the cluster does not let you list inferenceservices in namespace default/);
  expect(stderr).toMatch(/"msg":"cluster unreachable","error":"the cluster does not let you .*","code":"FORBIDDEN"/);
  expect(exitCode).toBe(4);
});

test('a single round ends with what the cluster does not let it write', async () => {
  const rig = await AgentRig.start();
  rig.deploy('one');
  rig.api.inject({ path: /inferenceservices\/one/, method: 'PATCH', failure: FORBIDDEN, times: 99 });
  const { stderr, exitCode } = await rig.agent();
  await rig.stop();
  expect(stderr).toMatch(
    /"msg":"again later","service":"default\/one","error":"the cluster refused .*","code":"FORBIDDEN"/,
  );
  expect([exitCode, rig.starts()]).toEqual([4, []]);
});
