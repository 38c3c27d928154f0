import { runAgent } from '../../src/lib/agent/agent.js';
import type { AgentParts } from '../../src/lib/agent/agent-options.js';
import { createLog } from '../../src/lib/agent/log.js';
import { CurrentLlamaServer } from '../../src/lib/agent/machine/llama-server.js';
import { measureHost } from '../../src/lib/host/measure-host.js';
import { connect } from '../../src/lib/kube/client/client.js';
import type { AgentRig } from './agent-rig.js';

const VARIABLES = ['LLMKUBE_STATE_DIR', 'STARTS'];
const before = VARIABLES.map((name) => [name, process.env[name]] as const);

/** An agent of a rig in this process, whose clock and machine a test can be, with a tick of 50 ms. Call `asBefore` after it. */
export async function agentHere(
  rig: AgentRig,
  signal: AbortSignal,
  { eviction = false, ...parts }: Partial<AgentParts> & { readonly eviction?: boolean } = {},
): Promise<void> {
  Object.assign(process.env, rig.env());
  return runAgent(
    {
      ...{ identity: { id: 'box', accelerator: 'cpu' }, namespace: 'default', hostIp: undefined, port: 0, once: false },
      defaults: { policy: { absoluteBytes: 4 * 2 ** 30 }, mode: 'enforce', modeFrom: '' },
      ...{ gpuMemoryBytes: undefined, startupMs: 20_000, threads: undefined, eviction, version: '0.0.0' },
      cacheDir: rig.at('cache'),
      store: { folder: rig.at('store'), allowedRoots: [rig.folder.path], allowedHosts: [] },
    },
    {
      ...{ client: await connect({ kubeconfig: rig.kubeconfig }), measure: measureHost, signal, tickMs: 50 },
      llamaServer: new CurrentLlamaServer({
        ...{ path: rig.at('llama-server'), build: 'b11549', options: new Set(['--model']) },
      }),
      pressure: async () => undefined,
      log: createLog({ level: 'error', format: 'json', write: () => undefined }),
      ...parts,
    },
  );
}

export function asBefore(): void {
  for (const [name, value] of before) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
}
