import type { FittedLaunch } from '../../preflight/fit/fit-launch.js';
import type { Preference } from '../../preflight/fit/fit-search.js';
import type { CheckDependencies } from '../../preflight/check-memory.js';
import { isComplete, type CompleteCheck } from '../../preflight/memory-check.js';
import type { CheckRequest } from '../../preflight/plan-check.js';
import { fleetFitText, type FittedHost } from '../../report/text/fleet-fit-text.js';
import { fitJson } from '../../report/json/fit-json.js';
import { hostWords } from './host-words.js';
import { checkOnHosts, type FleetFlags, type HostCheck } from './fleet-check.js';

/** The best launch that a check leads to, and the command for it. */
type Search = (
  check: CompleteCheck,
  readHeader: CheckDependencies['readHeader'],
  /** What a deploy is to be told of the host. */
  words: readonly string[],
) => Promise<{ readonly fitted: FittedLaunch; readonly command: readonly string[] | undefined } | undefined>;

/** The best launch on every host of the cluster: 0 where there is one, 1 where none has room, 3 where that could not be found out. */
export async function fitOnHosts(
  request: CheckRequest,
  flags: FleetFlags,
  dependencies: CheckDependencies,
  prefer: Preference,
  search: Search,
): Promise<{ readonly text: string; readonly json: Record<string, unknown>; readonly exitCode: number }> {
  const checks = await checkOnHosts(request, flags, { ...dependencies, advise: async () => [] });
  const hosts: FittedHost[] = [];
  for (const one of checks) hosts.push({ ...one, ...(await found(one, search)) });
  const isUnknown = ({ check }: HostCheck): boolean => check === undefined || !isComplete(check);
  const exitCode = hosts.some(({ best }) => best !== undefined) ? 0 : hosts.some(isUnknown) ? 3 : 1;
  const json = {
    hosts: hosts.map(({ host, best, check, reason }) => ({
      agent: host.agent,
      accelerator: host.accelerator,
      heartbeat: host.heartbeat,
      verdict: best?.fitted.verdict.kind ?? check?.verdict.kind ?? 'unknown',
      ...(reason !== undefined && { reason }),
      ...(best && { fit: fitJson(best.fitted, best.command, prefer, check?.verdict.warnings ?? []) }),
    })),
  };
  return { text: fleetFitText(hosts), json, exitCode };
}

async function found(
  { host, request, check, dependencies }: HostCheck,
  search: Search,
): Promise<Pick<FittedHost, 'best'>> {
  if (check === undefined || request === undefined || dependencies === undefined || !isComplete(check)) return {};
  const words = hostWords(host, check.launch.accelerator, request.policy, check.launch.llamaCpp);
  const best = await search(check, dependencies.readHeader, words);
  return best === undefined ? {} : { best };
}
