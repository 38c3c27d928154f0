import { arch, release } from 'node:os';
import type { Config } from '@oclif/core';
import { gpuBudget, memoryBudget } from '../../budget/budget-policy.js';
import { LlmkubeError } from '../../errors.js';
import { besideLedger, promisedHere } from '../../guard/ledger/measure-beside-ledger.js';
import { homeFolder } from '../../home-folder.js';
import { type FoundAccelerator, findAccelerator } from '../../host/gpu/find-accelerator.js';
import { heldByPrograms, type HeldByPrograms } from '../../host/processes/held-by-programs.js';
import type { HostMemory } from '../../host/host-memory.js';
import { installedServer, thisMachinesServers } from '../../host/installed-server.js';
import { measureHost } from '../../host/measure-host.js';
import { memoryPressure } from '../../host/memory-pressure.js';
import { thisMachine } from '../../host/probe.js';
import { CacheFolder } from '../../source/cache/cache-folder.js';

/** Something that was looked for; a sentence where it could not be told. */
type Told<T> = T | { readonly problem: string };

/** What a bug report about this machine needs, without anything secret. Amounts are bytes. */
export interface Diagnosis {
  readonly llmkube: { readonly version: string; readonly node: string; readonly system: string };
  readonly accelerator: { readonly name: string; readonly gpus: readonly string[]; readonly foundBy: string | null };
  readonly memory: Told<{
    readonly totalBytes: number;
    readonly inUseBytes: number;
    readonly budgetBytes: number;
    readonly limits: readonly { readonly name: string; readonly limitBytes: number; readonly inUseBytes: number }[];
    readonly pressure: string | null;
    readonly notes: readonly string[];
  }>;
  readonly programs: HeldByPrograms;
  readonly ledger: Told<{ readonly promisedBytes: number; readonly entries: number; readonly warning: string | null }>;
  readonly llamaServer: Told<{ readonly path: string; readonly version: string | null }> | null;
  readonly cache: { readonly path: string; readonly entries: number; readonly bytes: number };
  /** Variables of the environment that change what this program does; of proxies the host and port, else only that they are set. */
  readonly environment: Readonly<Record<string, string>>;
  readonly cluster: Told<{ readonly context: string; readonly server: string }>;
}

/** Looks at this machine; nothing is contacted. */
export async function diagnose({ version, cacheDir }: Config, env: NodeJS.ProcessEnv): Promise<Diagnosis> {
  const found = await findAccelerator();
  const { accelerator, gpus, by = null } = found;
  const [memory, programs, llamaServer, usage, cluster] = await Promise.all([
    told(async () => memoryOf(await besideLedger(measureHost)({ accelerator }), found)),
    heldByPrograms(),
    told(() => serverHere(cacheDir, env)),
    new CacheFolder(cacheDir).usage(),
    told(clusterHere),
  ]);
  return {
    llmkube: { version, node: process.version, system: `${process.platform} ${release()} ${arch()}` },
    accelerator: { name: accelerator, gpus, foundBy: by },
    memory,
    programs,
    ledger: await told(async () => ledgerHere()),
    llamaServer,
    cache: { ...usage, path: withoutHome(usage.path) },
    environment: environmentOf(env),
    cluster,
  };
}

async function told<T>(find: () => Promise<T>): Promise<Told<T>> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof LlmkubeError) return { problem: withoutHome(error.message) };
    throw error;
  }
}

async function memoryOf(host: HostMemory, { unmeasured }: FoundAccelerator) {
  const { totalBytes, inUseBytes, cgroups = [], gpus = [] } = host;
  const notes = [...host.notes, ...(unmeasured === undefined ? [] : [unmeasured])];
  const wired = gpuBudget(host);
  const limits = [
    ...cgroups.map(({ path = 'cgroup', ...cgroup }) => ({ name: `cgroup ${path}`, ...amounts(cgroup) })),
    ...gpus.map(({ index, name, totalBytes: limitBytes, usedBytes }) => ({
      name: `GPU ${index} ${name}`.trim(),
      limitBytes,
      inUseBytes: usedBytes,
    })),
    ...(wired?.kind === 'gpu-wired'
      ? [
          {
            name: 'iogpu.wired_limit_mb',
            limitBytes: wired.totalBytes ?? wired.bytes,
            inUseBytes: wired.inUseBytes ?? 0,
          },
        ]
      : []),
  ];
  const pressure = (await memoryPressure(thisMachine))?.text ?? null;
  return { totalBytes, inUseBytes, budgetBytes: memoryBudget(host, {}).bytes, limits, pressure, notes };
}

function amounts({ limitBytes, inUseBytes }: { limitBytes: number; inUseBytes: number }) {
  return { limitBytes, inUseBytes };
}

function ledgerHere() {
  const { entries, warning = null } = promisedHere();
  const promisedBytes = entries.reduce((sum, { requirement }) => sum + requirement.hostBytes, 0);
  return { promisedBytes, entries: entries.length, warning };
}

async function serverHere(cacheDir: string, env: NodeJS.ProcessEnv) {
  const server = await installedServer({ ...thisMachinesServers(cacheDir), env });
  return server === undefined ? null : { path: withoutHome(server.path), version: server.version ?? null };
}

async function clusterHere() {
  const { loadKubeConfig } = await import('../../kube/client/kubeconfig.js');
  const { config } = await loadKubeConfig({});
  const server = config.getCurrentCluster()?.server ?? '';
  return { context: config.getCurrentContext(), server: URL.canParse(server) ? new URL(server).host : '' };
}

const PROXIES = /^(https?|all)_proxy$/i;
const OWN =
  /^(LLMKUBE_|HF_|HUGGING_FACE_|OLLAMA_|LLAMA_|CUDA_VISIBLE_DEVICES$|ROCR_|HIP_|GGML_|KUBECONFIG$|no_proxy$|NODE_EXTRA_CA_CERTS$|XDG_CACHE_HOME$)/i;

function environmentOf(env: NodeJS.ProcessEnv): Record<string, string> {
  const set = Object.entries(env).filter(([, value]) => value !== undefined && value !== '');
  const told = set.flatMap(([name, value = '']): [string, string][] => {
    if (PROXIES.test(name)) return [[name, hostOf(value)]];
    return OWN.test(name) ? [[name, 'set']] : [];
  });
  return Object.fromEntries(told.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Of an address with a login only host and port. */
function hostOf(address: string): string {
  const text = address.includes('://') ? address : `http://${address}`;
  return URL.canParse(text) ? new URL(text).host : 'no address';
}

function withoutHome(text: string): string {
  const home = homeFolder();
  return home.length > 1 ? text.replaceAll(home, '~') : text;
}
