import type { ChildProcess } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProcessHere } from '../../src/lib/host/processes/processes.js';
import { KubeApi } from './kube/kube-api.js';
import { writeKubeconfig } from './kube/kubeconfig-file.js';
import { cliEnvironment, run, runCli, RUN_JS, type CliResult } from './run-cli.js';
import { temporaryFolder } from './sparse-file.js';
import { writeTinyModel } from './models/tiny-model.js';

/**
 * Lists the options that matter, and answers /health from the port that it is given; with LOADS a context of 512 tokens loads until
 * `loaded` is called, with FAIL nothing loads.
 */
export const STAND_IN = `#!${process.execPath}
const { argv, env } = process;
if (argv.includes('--version')) console.error('version: 0.6.0-dev (build 11549, commit abc)');
else if (argv.includes('--help')) console.log('--model --load-mode --verbosity --spec-type --spec-draft-model');
else {
  const variables = Object.entries(env).filter(([name]) => name.startsWith('LLAMA_')).map((pair) => pair.join('='));
  require('fs').appendFileSync(env.STARTS, [process.pid, ...argv.slice(2), ...variables].join(' ') + '\\n');
  if (env.FAIL) { console.error('unable to allocate CPU buffer'); process.exit(7); }
  const loads = () => env.LOADS && argv.includes('512') && !require('fs').existsSync(env.STARTS + '.loaded');
  require('http').createServer((_, answer) => answer.writeHead(loads() ? 503 : 200).end('ok')).listen(Number(argv[argv.indexOf('--port') + 1]), argv[argv.indexOf('--host') + 1]);
}
`;

/** What the cluster has been told of a service. */
export interface Seen {
  readonly reason: string | undefined;
  readonly message: string;
  readonly server: string | undefined;
  readonly scheduling: unknown;
  readonly annotations: Record<string, string>;
}

const find = findProcessHere();
const ONCE = { dryRun: false };

/** `llmkube agent run` as a process, an imitation of a cluster, and a llama-server that is none. */
export class AgentRig {
  private constructor(
    readonly api: KubeApi,
    readonly folder: Awaited<ReturnType<typeof temporaryFolder>>,
    readonly kubeconfig: string,
  ) {}

  static async start(): Promise<AgentRig> {
    const folder = await temporaryFolder();
    const api = await KubeApi.start();
    const rig = new AgentRig(api, folder, await writeKubeconfig({ double: { server: api.url } }));
    writeFileSync(rig.at('llama-server'), STAND_IN);
    chmodSync(rig.at('llama-server'), 0o755);
    await writeTinyModel(rig.at('tiny.gguf'));
    return rig;
  }

  async stop(): Promise<void> {
    for (const { pid } of this.starts()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
    await this.api.close();
    await this.folder.remove();
  }

  at(name: string): string {
    return join(this.folder.path, name);
  }

  /** Those that llama-server was started with, a line each. */
  starts(): readonly { pid: number; words: string }[] {
    try {
      const lines = readFileSync(this.at('starts'), 'utf8').trim().split('\n');
      return lines.map((line) => ({ pid: Number.parseInt(line, 10), words: line.replace(/^\d+ /, '') }));
    } catch {
      return [];
    }
  }

  /** What loads has loaded now. */
  loaded(): void {
    writeFileSync(this.at('starts.loaded'), '');
  }

  /** Those of them that run. */
  running(): readonly number[] {
    return this.starts().flatMap(({ pid }) => (find(pid) === undefined ? [] : [pid]));
  }

  deployModel(name: string, source = this.at('tiny.gguf')): void {
    const apiVersion = 'inference.llmkube.dev/v1alpha1';
    const spec = { source, format: 'gguf', hardware: { accelerator: 'metal' } };
    const metadata = { name, namespace: 'default' };
    const key = { plural: 'models', namespace: 'default', name };
    this.api.store.create(key, { apiVersion, kind: 'Model', metadata, spec } as never, 'test', ONCE);
  }

  deployService(name: string, annotations: Record<string, string> = {}, more: object = {}): void {
    const apiVersion = 'inference.llmkube.dev/v1alpha1';
    const own = { 'inference.llmkube.dev/agent': 'box', ...annotations };
    const metadata = { name, namespace: 'default', annotations: own };
    const endpoint = { port: 8080, path: '/', type: 'ClusterIP' };
    const spec = { modelRef: name, contextSize: 512, endpoint, ...more };
    const service = { apiVersion, kind: 'InferenceService', metadata, spec };
    this.api.store.create(this.keyOf(name), service as never, 'test', ONCE);
  }

  deploy(name: string, annotations: Record<string, string> = {}, source?: string): void {
    this.deployModel(name, source);
    this.deployService(name, annotations);
  }

  patch(name: string, spec: object): void {
    this.api.store.patch(this.keyOf(name), { spec } as never, 'test', ONCE);
  }

  keyOf(name: string) {
    return { plural: 'inferenceservices', namespace: 'default', name };
  }

  seen(name: string): Seen {
    const { status, metadata } = this.api.store.require(this.keyOf(name));
    const conditions = (status?.conditions ?? []) as { type: string; reason: string; message: string }[];
    const of = (wanted: string) => conditions.find(({ type }) => type === wanted);
    return {
      reason: of('MemoryFit')?.reason,
      message: of('MemoryFit')?.message ?? '',
      server: of('ServerReady')?.reason,
      scheduling: status?.schedulingStatus,
      annotations: metadata.annotations ?? {},
    };
  }

  /** Once, with room for one service. */
  agent(flags: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
    return this.agentOf(env, ['--memory-budget', '900Mi', ...flags]);
  }

  agentOf(env: Readonly<Record<string, string>>, flags: readonly string[] = []): Promise<CliResult> {
    return runCli(['agent', 'run', '--once', ...this.flags(), ...flags], this.env(env));
  }

  /** Until `end` is called, which kills it. */
  longAgent(env: Readonly<Record<string, string>> = {}, flags: readonly string[] = []) {
    const words = [RUN_JS, 'agent', 'run', ...this.flags(), ...flags];
    let child: ChildProcess | undefined;
    const ended = run(process.execPath, words, cliEnvironment(this.env(env)), (started) => (child = started));
    return {
      end: (): Promise<CliResult> => {
        child?.kill('SIGKILL');
        return ended;
      },
    };
  }

  /** Whom the ledger of this machine has, and in which state. */
  async ledger(): Promise<readonly { readonly who: string; readonly pid: number; readonly state: string }[]> {
    const { stdout } = await runCli(['ledger', '--json'], this.env());
    return (JSON.parse(stdout) as { entries: { who: string; pid: number; state: string }[] }).entries;
  }

  flags(): readonly string[] {
    const own = ['--agent-id', 'box', '--accelerator', 'cpu', '--port', '0', '--log-format', 'json'];
    const places = ['--llama-server', this.at('llama-server'), '--allowed-model-roots', this.folder.path];
    return [...own, ...places, '--kubeconfig', this.kubeconfig];
  }

  env(env: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
    return { LLMKUBE_STATE_DIR: this.at('state'), STARTS: this.at('starts'), ...env };
  }
}

export async function until(isTrue: () => boolean): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end;) {
    if (isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it did not happen');
}
