const GIB = 2 ** 30;
const MIB = 2 ** 20;

/** [RAM in GB, what Metal may wire in MiB], as macOS reports it (`recommendedMaxWorkingSetSize`) on real Macs. */
type Row = readonly [number, number];

const UP_TO_MACOS_15: readonly Row[] = [
  [8, 5461],
  [16, 10922],
  [24, 16384],
  [32, 21845],
  [36, 27648],
  [48, 36864],
  [64, 49152],
  [128, 98304],
  [512, 393216],
];

const FROM_MACOS_26: readonly Row[] = [
  [16, 12124],
  [24, 18186],
  [32, 25559],
  [36, 28753],
  [48, 38338],
  [64, 53084],
  [128, 110100],
  [192, 165150],
  [256, 228065],
  [512, 475136],
];

const FIRST_OF_NEW_TABLE = 26;

/**
 * What the GPU may wire on a Mac where `iogpu.wired_limit_mb` is 0, in bytes. Between two known sizes the smaller
 * share of the two holds, which never promises more than macOS gives; an unknown macOS version counts as the older.
 */
export function defaultWiredLimitBytes(totalBytes: number, macosMajor: number | undefined): number {
  const rows = (macosMajor ?? 0) >= FIRST_OF_NEW_TABLE ? FROM_MACOS_26 : UP_TO_MACOS_15;
  const exact = rows.find(([gigabytes]) => gigabytes * GIB === totalBytes);
  if (exact !== undefined) return exact[1] * MIB;
  const share = Math.min(...neighbours(rows, totalBytes / GIB).map(shareOf));
  return Math.floor((totalBytes * share) / MIB) * MIB;
}

function neighbours(rows: readonly Row[], gigabytes: number): readonly Row[] {
  const below = rows.filter(([size]) => size < gigabytes).at(-1);
  const above = rows.find(([size]) => size > gigabytes);
  return [below, above].filter((row): row is Row => row !== undefined);
}

function shareOf([gigabytes, limitMib]: Row): number {
  return (limitMib * MIB) / (gigabytes * GIB);
}
