import { UsageError } from '../../errors.js';
import type { LlamaCpp } from '../llama-cpp.js';

/** An option that not every llama.cpp has. */
interface VersionedOption {
  readonly names: readonly string[];
  /** First build that surely has it. */
  readonly since?: number;
  /** Last build that surely has it. */
  readonly until?: number;
  /** What to write instead; null = it cannot be said to the other versions. */
  readonly instead: string | null;
}

/** `common_params_parser_init` in `common/arg.cpp` of b9496, b10472, b11236, b11434 and b12032. */
const VERSIONED: readonly VersionedOption[] = [
  { names: ['--no-mmap'], until: 10605, instead: '--load-mode none' },
  { names: ['--mmap'], until: 10605, instead: '--load-mode mmap' },
  { names: ['--mlock'], until: 10605, instead: '--load-mode mmap+mlock' },
  { names: ['-dio', '--direct-io'], until: 10605, instead: '--load-mode dio' },
  { names: ['-ndio', '--no-direct-io'], until: 10605, instead: '--load-mode auto' },
  { names: ['-lm', '--load-mode'], since: 10472, instead: '--no-mmap or --mlock' },
  { names: ['--moe-cache-mib'], since: 12032, instead: null },
];

const BY_NAME = new Map(VERSIONED.flatMap((option) => option.names.map((name) => [name, option] as const)));

/** @throws UsageError OPTION_NOT_IN_VERSION for an option that this llama.cpp does not have */
export function refuseForeignOption(name: string, { name: version, build }: LlamaCpp): void {
  const option = BY_NAME.get(name);
  if (!option) return;
  const gone = option.until !== undefined && build.from > option.until;
  const notYet = option.since !== undefined && build.to < option.since;
  if (!gone && !notYet) return;
  const remedy = option.instead === null ? 'leave it out' : `write ${option.instead} instead`;
  throw new UsageError(
    'OPTION_NOT_IN_VERSION',
    `llama-server of llama.cpp ${version} has no ${name}: ${remedy}, or name the version that has it with --llama-cpp`,
  );
}
