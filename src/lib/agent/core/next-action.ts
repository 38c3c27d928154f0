import type { Failures } from './back-off.js';
import type { Claim } from './claims.js';
import type { Desired } from './desired.js';

/** A process of a service, as this host knows it. */
export interface ObservedProcess {
  /** Of everything that it was started for: another one means another process; empty where that is not known. */
  readonly fingerprint: string;
  readonly state: 'loading' | 'ready' | 'unhealthy' | 'stopping';
}

/** What this host has of a service. */
export interface Observed {
  readonly claim: Claim;
  readonly process: ObservedProcess | undefined;
  /** Something that takes its time and ends with another look: at files, at memory. */
  readonly busy: { readonly with: 'fetching' | 'starting'; readonly fingerprint: string } | undefined;
  readonly failures: Failures | undefined;
  /** Fingerprint of what is known to have room in place of what runs. */
  readonly approved?: string | undefined;
  /** Registered, claimed or otherwise spoken of. */
  readonly traces: boolean;
}

export type Action =
  | { readonly kind: 'none' }
  | { readonly kind: 'claim' }
  /** Fetch what is missing, check, spawn. */
  | { readonly kind: 'start' }
  /** Check whether what is wanted now would start once what runs has ended. */
  | { readonly kind: 'rehearse' }
  | { readonly kind: 'stop-process' }
  /** What is under way is not wanted any more. */
  | { readonly kind: 'abandon' }
  /** Nothing runs: withdraw what the cluster was told. */
  | { readonly kind: 'release' }
  | { readonly kind: 'wait'; readonly untilMs: number };

const NONE: Action = { kind: 'none' };

/**
 * The one next step for a service. Never a start while a process of it lives, whatever that is doing; never a stop for
 * what is not known. Pure: the same answers to the same facts.
 * @param wanted fingerprint of what is to run; unset where it is not to
 */
export function nextAction(desired: Desired, observed: Observed, wanted: string | undefined, nowMs: number): Action {
  const { process, busy, claim, failures } = observed;
  if (desired.kind === 'unknown' || process?.state === 'stopping') return NONE;
  if (desired.kind === 'stop' || claim === 'others') {
    if (busy !== undefined) return { kind: 'abandon' };
    if (process !== undefined) return { kind: 'stop-process' };
    return observed.traces ? { kind: 'release' } : NONE;
  }
  if (process !== undefined) {
    if (process.state === 'unhealthy' || isReplaceable(process, observed, wanted)) return { kind: 'stop-process' };
    if (process.fingerprint === wanted && busy === undefined) return claim === 'free' ? { kind: 'claim' } : NONE;
  }
  if (busy !== undefined)
    return busy.fingerprint === wanted && wanted !== process?.fingerprint ? NONE : { kind: 'abandon' };
  if (claim === 'free') return { kind: 'claim' };
  if (failures !== undefined && failures.retryAtMs > nowMs) return { kind: 'wait', untilMs: failures.retryAtMs };
  return { kind: process === undefined ? 'start' : 'rehearse' };
}

/** A process of an earlier spec, once it is known that what is wanted now has room without it; one of which nothing is known at once. */
function isReplaceable({ fingerprint }: ObservedProcess, { approved }: Observed, wanted: string | undefined): boolean {
  return fingerprint !== wanted && (fingerprint === '' || approved === wanted);
}
