import type { LedgerEntry } from '../../guard/ledger/ledger.js';
import type { PromisedMemory } from '../../guard/ledger/measure-beside-ledger.js';

/** As `schemas/ledger.schema.json` describes it; amounts are bytes. */
export function ledgerJson({ folder, entries, warning }: PromisedMemory): Record<string, unknown> {
  return {
    folder,
    promisedBytes: promisedBytes(entries),
    entries: entries.map(({ who, pid, startedAt, argvHash, state, decidedAt, requirement }) => ({
      who,
      pid,
      startedAt,
      argvHash,
      state,
      decidedAt,
      ...requirement,
    })),
    warnings: warning === undefined ? [] : [warning],
  };
}

export function promisedBytes(entries: readonly LedgerEntry[]): number {
  return entries.reduce((sum, { requirement }) => sum + requirement.hostBytes, 0);
}
