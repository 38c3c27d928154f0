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

/** `common_params_parser_init` in `common/arg.cpp` of b9453, b9496, b10472, b10549, b10605, b10852, b10985, v0.5.0, b11368, b11434 and b12032. */
const VERSIONED: readonly VersionedOption[] = [
  { names: ['--no-mmap'], until: 10852, instead: '--load-mode none' },
  { names: ['--mmap'], until: 10852, instead: '--load-mode mmap' },
  { names: ['--mlock'], until: 10852, instead: '--load-mode mmap+mlock' },
  { names: ['-dio', '--direct-io'], until: 10852, instead: '--load-mode dio' },
  { names: ['-ndio', '--no-direct-io'], until: 10852, instead: '--load-mode auto' },
  { names: ['-lm', '--load-mode'], since: 10472, instead: '--no-mmap or --mlock' },
  { names: ['--mtmd-batch-max-tokens', '--log-prompts-dir'], since: 10472, instead: null },
  { names: ['--reasoning-effort', '--reasoning-preserve', '--no-reasoning-preserve'], since: 10472, instead: null },
  { names: ['--mcp-servers-config', '--mcp-servers-json'], since: 10472, instead: null },
  { names: ['-ag', '--agent', '-no-ag', '--no-agent'], since: 10472, instead: null },
  { names: ['--cors-origins', '--cors-methods', '--cors-headers'], since: 10472, instead: null },
  { names: ['--cors-credentials', '--no-cors-credentials'], since: 10472, instead: null },
  { names: ['-mmdev', '--mmproj-device'], since: 10549, instead: null },
  { names: ['-ncffn', '--n-cpu-ffn'], since: 10852, instead: '--override-tensor' },
  { names: ['--kv-unified-per-slot'], since: 10852, instead: '--ctx-size' },
  { names: ['-lzm', '--lazy-mode', '--log-jsonl', '--no-log-jsonl'], since: 10852, instead: null },
  { names: ['--spec-synth-len', '--spec-synth-rates'], since: 10852, instead: null },
  { names: ['--spec-draft-sampling'], since: 11368, instead: null },
  { names: ['--moe-cache-mib', '--spec-draft-n-ubatch', '--models-memory-margin'], since: 12032, instead: null },
  { names: ['--connect', '--connect-code'], since: 12032, instead: null },
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
