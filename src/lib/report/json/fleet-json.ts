import type { CheckedHost } from '../text/fleet-text.js';
import { checkJson } from './check-json.js';

/** What every host says, with its whole check. */
export function fleetJson(hosts: readonly CheckedHost[]): Record<string, unknown> {
  return {
    hosts: hosts.map(({ host, check, reason }) => ({
      agent: host.agent,
      accelerator: host.accelerator,
      heartbeat: host.heartbeat,
      verdict: check?.verdict.kind ?? 'unknown',
      ...(reason !== undefined && { reason }),
      ...(check !== undefined && { check: checkJson(check) }),
    })),
  };
}
