const GIB = 2 ** 30;
const MIB = 2 ** 20;
const KIB = 2 ** 10;
/** Further digits would tell bytes apart, which nobody compares. */
const MOST_DECIMALS = 6;

/**
 * A size as people say it, the same digits wherever it stands: binary, labelled as Macs are sold (`32GB` is 32 × 2^30 bytes),
 * with one decimal and no trailing zeros; in MB below one gigabyte, in KB far below one MB, so that small parts keep
 * their digits.
 */
export function formatSize(bytes: number): string {
  const size = Math.abs(bytes);
  if (size === 0 || Math.round(size / MIB) >= GIB / MIB) return gigabytes(bytes, 1);
  if (size < MIB / 10) return `${trimmed(bytes / KIB, size < 10 * KIB ? 1 : 0)}KB`;
  return `${trimmed(bytes / MIB, size < 10 * MIB ? 1 : 0)}MB`;
}

/** Two sizes that are compared: as they stand elsewhere, or where that does not tell them apart, with the decimals it takes. */
export function formatCompared(a: number, b: number): readonly [string, string] {
  const pair = [formatSize(a), formatSize(b)] as const;
  if (pair[0] !== pair[1] || a === b) return pair;
  for (let decimals = 2; decimals < MOST_DECIMALS; decimals++) {
    const finer = [gigabytes(a, decimals), gigabytes(b, decimals)] as const;
    if (finer[0] !== finer[1]) return finer;
  }
  return [gigabytes(a, MOST_DECIMALS), gigabytes(b, MOST_DECIMALS)];
}

/** A requirement above its budget: in whole gigabytes, for which it has its `~`, where that says that it is above. */
export function formatExceeding(requiredBytes: number, budgetBytes: number): readonly [string, string] {
  const [required, budget] = formatCompared(requiredBytes, budgetBytes);
  const whole = requiredBytes < GIB ? 0 : Math.round(requiredBytes / GIB);
  return [`~${whole > Math.round((budgetBytes / GIB) * 10) / 10 ? `${whole}GB` : required}`, budget];
}

function gigabytes(bytes: number, decimals: number): string {
  return `${trimmed(bytes / GIB, decimals)}GB`;
}

function trimmed(value: number, decimals: number): string {
  return String(Number(value.toFixed(decimals)));
}
