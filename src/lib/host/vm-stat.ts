import { CheckIncompleteError } from '../errors.js';

/** Pages that macOS can give to a new process without swapping; compressed and wired ones it cannot. */
const AVAILABLE_PAGES = ['Pages free', 'Pages inactive', 'Pages speculative', 'Pages purgeable'] as const;

/**
 * Available bytes according to the output of macOS's `vm_stat`.
 * @throws CheckIncompleteError MEASUREMENT_FAILED
 */
export function availableBytesFromVmStat(output: string): number {
  const pageBytes = Number(/page size of (\d+) bytes/.exec(output)?.[1]);
  const pages = AVAILABLE_PAGES.map((label) => pageCount(output, label)).reduce((sum, count) => sum + count, 0);
  if (!Number.isFinite(pages * pageBytes)) {
    throw new CheckIncompleteError('MEASUREMENT_FAILED', 'vm_stat printed something that could not be understood', {
      suggestions: ['give the machine by hand: --system-memory 32Gi --in-use 4Gi'],
    });
  }
  return pages * pageBytes;
}

function pageCount(output: string, label: string): number {
  const line = output.split('\n').find((candidate) => candidate.startsWith(`${label}:`));
  return Number(
    line
      ?.slice(label.length + 1)
      .trim()
      .replace(/\.$/, '') || Number.NaN,
  );
}
