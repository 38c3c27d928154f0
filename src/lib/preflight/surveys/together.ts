import type { MemoryEstimate } from '../../estimate/memory-estimate.js';
import type { MemoryCheck } from '../memory-check.js';
import { judge, limitsOf } from '../judge/judge.js';
import type { CompletedVerdict } from '../judge/verdict.js';

/** Models, each in a llama-server of its own, on one machine, and the verdict on all of them at once. */
export interface Together {
  readonly checks: readonly MemoryCheck[];
  readonly verdict: CompletedVerdict;
}

/** Every set of so many models is tried; of more only those that leave out the last ones. */
const MOST_IN_SETS = 12;
const MOST_SETS = 5;

/**
 * The verdict on models that run side by side, each as it was checked; undefined when one was not, or when they were
 * held against different machines. File pages are counted for each, even where two are of one file.
 */
export function judgeTogether(checks: readonly MemoryCheck[]): Together | undefined {
  const [first] = checks;
  const estimates = checks.flatMap(({ verdict }) => (verdict.kind === 'unknown' ? [] : [verdict.estimate]));
  const accelerators = new Set(checks.map(({ launch }) => launch.accelerator));
  const [own] = estimates;
  if (!first?.room || own === undefined || estimates.length < checks.length || accelerators.size > 1) return undefined;
  const all = estimates.slice(1).reduce(added, own);
  const { host, policy } = first.room;
  return { checks, verdict: judge(all, limitsOf(all, first.launch.accelerator, host, policy)) };
}

/** What is held and what grows adds up; what llama.cpp made of a launch stays the first one's. */
function added(a: MemoryEstimate, b: MemoryEstimate): MemoryEstimate {
  return {
    ...a,
    parts: [...a.parts, ...b.parts],
    transient: [...(a.transient ?? []), ...(b.transient ?? [])],
    growth: [...a.growth, ...b.growth],
    notes: [],
  };
}

/**
 * The sets of models that fit together to which none of the others can be added: those with the most models first, then
 * in the order in which they were named; at most five.
 */
export function fittingSets(checks: readonly MemoryCheck[]): readonly Together[] {
  const tried = checks.slice(0, MOST_IN_SETS);
  const fitting: { readonly members: number; readonly set: Together }[] = [];
  const all = 2 ** tried.length - 1;
  const bySize = Array.from({ length: all }, (_, index) => index + 1).sort(
    (a, b) => countOf(b) - countOf(a) || rank(a, b),
  );
  for (const members of bySize) {
    if (fitting.length === MOST_SETS) break;
    if (fitting.some((larger) => (larger.members & members) === members)) continue;
    const set = judgeTogether(tried.filter((_, index) => (members & (1 << index)) !== 0));
    if (set !== undefined && set.verdict.kind !== 'does-not-fit') fitting.push({ members, set });
  }
  return fitting.map(({ set }) => set);
}

function countOf(members: number): number {
  return members.toString(2).replaceAll('0', '').length;
}

/** The set that has the first model in which two differ comes first. */
function rank(a: number, b: number): number {
  const differing = a ^ b;
  const first = differing & -differing;
  return first === 0 ? 0 : (a & first) !== 0 ? -1 : 1;
}
