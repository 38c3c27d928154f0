import type { BudgetPolicy } from '../../budget/budget-policy.js';
import { parseQuantity } from '../../budget/quantity.js';
import { UsageError } from '../../errors.js';
import { printable } from '../../printable.js';
import { ACCELERATORS, type Accelerator } from '../../runtime/launch-options.js';

/** The flags of `exec`, written once for its help and for the start that does without oclif. */
export const EXEC_FLAGS = {
  accelerator: {
    env: 'LLMKUBE_ACCELERATOR',
    description: `what llama-server runs on: ${ACCELERATORS.join(', ')} (default: metal on Apple silicon, else cpu)`,
  },
  'memory-fraction': {
    env: 'LLMKUBE_MEMORY_FRACTION',
    description: 'share of the memory that may be used (default: 0.67 up to 36GB, 0.75 above)',
  },
  'memory-budget': {
    env: 'LLMKUBE_MEMORY_BUDGET',
    description:
      'absolute budget for all that the ledger promises together, such as 24Gi; nothing else is subtracted then',
  },
  'gpu-memory': {
    env: 'LLMKUBE_GPU_MEMORY',
    description: 'memory of a discrete GPU (default: as nvidia-smi says)',
  },
  name: { env: undefined, description: 'what the ledger calls this process (default: the program and its model)' },
} as const;

type FlagName = keyof typeof EXEC_FLAGS;

export interface ExecOptions {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly accelerator: Accelerator | undefined;
  readonly policy: BudgetPolicy;
  readonly gpuMemoryBytes: number | undefined;
  readonly name: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `[flags] -- program arguments`; what stands behind `--` is never touched.
 * @throws UsageError USAGE, INVALID_QUANTITY, INVALID_FRACTION
 */
export function readExecOptions(argv: readonly string[], env: Environment): ExecOptions {
  const end = argv.indexOf('--');
  const [program, ...args] = end < 0 ? [] : argv.slice(end + 1);
  if (program === undefined) {
    throw new UsageError('USAGE', 'there is no program to run', {
      suggestions: ['write it behind two dashes: llmkube exec -- llama-server -m model.gguf'],
    });
  }
  const flags = parseFlags(argv.slice(0, end));
  const variableOf = (name: FlagName): string | undefined => {
    const { env: variable } = EXEC_FLAGS[name];
    return flags[name] === undefined && variable !== undefined && env[variable] ? variable : undefined;
  };
  const value = (name: FlagName): string | undefined => flags[name] ?? env[variableOf(name) ?? ''];
  const saidBy = (name: FlagName): string => variableOf(name) ?? `--${name}`;
  const budget = value('memory-budget');
  const fraction = value('memory-fraction');
  const gpuMemory = value('gpu-memory');
  return {
    command: [program, ...args],
    accelerator: accelerator(value('accelerator'), saidBy('accelerator')),
    policy: {
      ...(budget !== undefined && { absoluteBytes: parseQuantity(budget, saidBy('memory-budget')) }),
      ...(fraction !== undefined && { fraction: share(fraction, saidBy('memory-fraction')) }),
      from: variableOf(budget === undefined ? 'memory-fraction' : 'memory-budget'),
    },
    gpuMemoryBytes: gpuMemory === undefined ? undefined : parseQuantity(gpuMemory, saidBy('gpu-memory')),
    name: value('name'),
  };
}

/** `--flag value` and `--flag=value`. */
function parseFlags(args: readonly string[]): Partial<Record<FlagName, string>> {
  const flags: Partial<Record<FlagName, string>> = {};
  for (let at = 0; at < args.length; at += 1) {
    const [, name = '', attached] = /^--([a-z-]+)(?:=(.*))?$/s.exec(args[at] ?? '') ?? [];
    if (!isFlag(name)) throw misused(`${printable(args[at] ?? '')} is no flag of exec`);
    const value = attached ?? args[++at];
    if (value === undefined) throw misused(`--${name} expects a value`);
    flags[name] = value;
  }
  return flags;
}

function isFlag(name: string): name is FlagName {
  return Object.hasOwn(EXEC_FLAGS, name);
}

function misused(problem: string): UsageError {
  return new UsageError('USAGE', problem, { suggestions: ['see llmkube exec --help'] });
}

function accelerator(text: string | undefined, what: string): Accelerator | undefined {
  const known = ACCELERATORS.find((name) => name === text);
  if (text !== undefined && known === undefined) {
    // Elsewhere there is none, and exec starts on this machine only.
    const here = ACCELERATORS.filter((name) => name !== 'metal' || process.platform === 'darwin');
    throw new UsageError('USAGE', `${what} must be one of ${here.join(', ')}, not ${JSON.stringify(text)}`);
  }
  return known;
}

function share(text: string, what: string): number {
  const fraction = Number(text);
  if (text.trim() !== '' && fraction > 0 && fraction <= 1) return fraction;
  throw new UsageError('INVALID_FRACTION', `${what} ${text} is not a fraction above 0 and at most 1`);
}
