const GIB = 2 ** 30;
const MIB = 2 ** 20;
const KIB = 2 ** 10;

/** A size as people say it: binary, labelled as Macs are sold (`32GB` is 32 × 2^30 bytes), no trailing zeros. */
export function formatGigabytes(bytes: number, decimals = 1): string {
  return `${trimmed(bytes / GIB, decimals)}GB`;
}

/** With one decimal even where it is 0, for figures that stand below each other. */
export function formatTenths(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)}GB`;
}

/** Like `formatGigabytes`, but in MB below one gigabyte and KB far below one MB, so that small parts keep their digits. */
export function formatSize(bytes: number): string {
  if (bytes !== 0 && Math.abs(bytes) < MIB / 10) return `${trimmed(bytes / KIB, Math.abs(bytes) < 10 * KIB ? 1 : 0)}KB`;
  if (Math.abs(bytes) < GIB) return `${trimmed(bytes / MIB, Math.abs(bytes) < 10 * MIB ? 1 : 0)}MB`;
  return formatGigabytes(bytes, 2);
}

/** Two sizes that are compared, in whole gigabytes where that tells them apart, else with as many decimals as it takes. */
export function formatCompared(a: number, b: number): readonly [string, string] {
  for (const decimals of [0, 1, 2]) {
    const pair = [formatGigabytes(a, decimals), formatGigabytes(b, decimals)] as const;
    if (pair[0] !== pair[1] && Math.min(a, b) >= GIB) return pair;
  }
  return [formatSize(a), formatSize(b)];
}

function trimmed(value: number, decimals: number): string {
  return String(Number(value.toFixed(decimals)));
}
