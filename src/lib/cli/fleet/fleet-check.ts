import { OVERRIDE_ANNOTATIONS } from '../../agent/core/annotations.js';
import type { InferredFlags } from '@oclif/core/interfaces';
import { CheckIncompleteError } from '../../errors.js';
import { connect } from '../../kube/client/client.js';
import { isFresh, listHosts, type HostReport } from '../../kube/hosts.js';
import { checkMemory, type CheckDependencies } from '../../preflight/check-memory.js';
import type { MemoryCheck } from '../../preflight/memory-check.js';
import type { CheckRequest } from '../../preflight/plan-check.js';
import { shown } from '../../printable.js';
import { ACCELERATORS, type Accelerator } from '../../runtime/launch-options.js';
import { llamaCpp } from '../../runtime/llama-cpp.js';
import { readOnce } from '../read-once.js';
import { clusterChoice } from '../deploy/cluster-choice.js';
import type { fleetFlags } from '../flags/fleet-flags.js';
import type { LaunchFlagValues } from '../flags/launch-flags.js';
import { serviceRules, type ServiceRules } from './service-rules.js';

/** One host of the cluster, and what a launch would be there; or why that cannot be said. */
export interface HostCheck {
  readonly host: HostReport;
  readonly check?: MemoryCheck;
  /** What the check was asked and made with, for whoever looks further. */
  readonly request?: CheckRequest;
  readonly dependencies?: CheckDependencies;
  /** Why there is no check. */
  readonly reason?: string;
}

/** What `fleetFlags` and the flags of a launch parse to, as far as it says where to look. */
export type FleetFlags = Pick<InferredFlags<typeof fleetFlags>, 'namespace'> &
  Partial<Pick<InferredFlags<typeof fleetFlags>, 'kubeconfig' | 'kube-context' | 'service'>> &
  Pick<LaunchFlagValues, 'llama-cpp'>;

/**
 * The check on every host of the cluster, with the figures that its agent has published and the rules it decides by, those of the
 * service that is meant included; no host is asked anything.
 * @throws ClusterError; CheckIncompleteError NO_HOSTS; UsageError for a model or an option that is not understood
 */
export async function checkOnHosts(
  request: CheckRequest,
  flags: FleetFlags,
  dependencies: CheckDependencies,
): Promise<readonly HostCheck[]> {
  const client = await connect(clusterChoice(flags));
  const all = await listHosts(client.objects, flags.namespace);
  const rules = await serviceRules(client, flags.namespace, flags.service, request.model);
  const hosts = all.filter(({ agent }) => rules?.agent === undefined || rules.agent === agent);
  if (all.length > 0 && hosts.length === 0) {
    const { agent = '', key = '' } = rules ?? {};
    const only = `only the agent "${shown(agent)}" may run ${key}, and it has not published its host`;
    throw new CheckIncompleteError('NO_HOSTS', `${only} in the namespace ${flags.namespace}`, {
      suggestions: [`start it, or correct the annotation ${OVERRIDE_ANNOTATIONS.agent} of the service`],
    });
  }
  if (hosts.length === 0) {
    throw new CheckIncompleteError('NO_HOSTS', `no agent has published its host in the namespace ${flags.namespace}`, {
      suggestions: ['name the namespace of the agents with -n, or start one: llmkube agent run'],
    });
  }
  const once = { ...dependencies, readHeader: readOnce(dependencies.readHeader) };
  const checks: HostCheck[] = [];
  const now = new Date();
  for (const host of hosts) checks.push(await checkOn(host, request, flags, once, now, rules));
  return checks;
}

async function checkOn(
  host: HostReport,
  request: CheckRequest,
  flags: FleetFlags,
  dependencies: CheckDependencies,
  now: Date,
  rules: ServiceRules | undefined,
): Promise<HostCheck> {
  const { check: figures, accelerator } = host;
  if (!isFresh(host, now)) return { host, reason: `its agent has not been heard of since ${host.heartbeat}` };
  if (figures === undefined) return { host, reason: 'its agent does not publish what a check needs: update it' };
  if (!isAccelerator(accelerator)) return { host, reason: `its accelerator ${accelerator} is not known here` };
  const own = rules?.on(figures.policy);
  if (own?.kind === 'unreadable') return { host, reason: own.problem };
  const policy = own?.policy ?? figures.policy;
  const build = flags['llama-cpp'] === undefined ? knownBuild(host.build) : {};
  const asked: CheckRequest = {
    ...request,
    accelerator,
    cpuArch: accelerator === 'metal' ? undefined : figures.cpuArch,
    launch: { ...request.launch, ...build },
    machine: {},
    policy,
    namesLaunch: true,
  };
  const there = { ...dependencies, measureHost: async () => figures.memory, largestPrograms: async () => [] };
  return { host, request: asked, dependencies: there, check: await checkMemory(asked, there) };
}

function isAccelerator(text: string): text is Accelerator {
  return ACCELERATORS.some((name) => name === text);
}

/** A build that is not known is taken for the newest known, as everywhere. */
function knownBuild(build: string | undefined): { readonly llamaCpp?: string } {
  try {
    return build === undefined ? {} : { llamaCpp: llamaCpp(build).name };
  } catch {
    return {};
  }
}

/** 0 where some host can take it, 1 where none can, 3 where none can and some could not be checked. */
export function fleetExitCode(checks: readonly HostCheck[]): number {
  const verdicts = checks.map(({ check }) => check?.verdict.kind ?? 'unknown');
  if (verdicts.some((kind) => kind === 'fits' || kind === 'tight')) return 0;
  return verdicts.includes('unknown') ? 3 : 1;
}
