import type { InferredFlags } from '@oclif/core/interfaces';
import * as Flags from '@oclif/core/flags';
import { UsageError } from '../../errors.js';
import { wholeNumber } from './values/whole-number.js';
import { parseQuantity } from '../../budget/quantity.js';

const HELP_GROUP = 'MACHINE';

const MEMORY_CHECKS = ['enforce', 'warn', 'off'] as const;

/** An amount of memory such as `24Gi`, in bytes. */
const quantityFlag = Flags.custom<number>({
  helpValue: '24Gi',
  parse: async (input, _context, { name }) => amount(input, name),
});

function amount(text: string, name: string): number {
  const bytes = parseQuantity(text, `--${name}`);
  if (bytes > 0 || name === 'in-use') return bytes;
  throw new UsageError('INVALID_QUANTITY', `--${name} must be more than nothing`);
}

/** One amount or several, such as `24Gi,16Gi`. */
const quantitiesFlag = Flags.custom<readonly number[]>({
  helpValue: '24Gi[,16Gi]',
  parse: async (input, _context, { name }) => input.split(',').map((text) => amount(text, name)),
});

const fractionFlag = Flags.custom<number>({
  helpValue: '0.67',
  parse: async (input, _context, { name }) => {
    const fraction = Number(input);
    if (input.trim() !== '' && fraction > 0 && fraction <= 1) return fraction;
    throw new UsageError('INVALID_FRACTION', `--${name} ${input} is not a fraction above 0 and at most 1`);
  },
});

/** What a model has to fit into. */
export const budgetFlags = {
  'memory-fraction': fractionFlag({
    description: 'share of the memory that may be used (default: 0.67 up to 36GB, 0.75 above)',
    env: 'LLMKUBE_MEMORY_FRACTION',
    helpGroup: HELP_GROUP,
  }),
  'memory-budget': quantityFlag({
    description: 'absolute budget; nothing is measured then, only what is promised on this machine is subtracted',
    env: 'LLMKUBE_MEMORY_BUDGET',
    helpGroup: HELP_GROUP,
  }),
  'system-memory': quantityFlag({
    description: "another machine's memory instead of this one's",
    env: 'LLMKUBE_SYSTEM_MEMORY',
    helpGroup: HELP_GROUP,
  }),
  'in-use': quantityFlag({
    description: 'memory already in use there (default: measured, or 0 with --system-memory)',
    env: 'LLMKUBE_IN_USE',
    helpGroup: HELP_GROUP,
  }),
  'gpu-wired-limit': quantityFlag({
    description: 'what Metal may wire, where iogpu.wired_limit_mb is raised (default: measured, or as macOS sets it)',
    env: 'LLMKUBE_GPU_WIRED_LIMIT',
    helpGroup: HELP_GROUP,
  }),
  'gpu-memory': quantitiesFlag({
    description: 'memory of a GPU, or of each GPU (default: measured)',
    env: 'LLMKUBE_GPU_MEMORY',
    helpGroup: HELP_GROUP,
  }),
  gpus: wholeNumber({ min: 1, max: 16 })({
    description: 'how many GPUs, all of one size (default: as many as there are)',
    env: 'LLMKUBE_GPUS',
    helpGroup: HELP_GROUP,
  }),
  'unified-memory': Flags.boolean({
    description: "the GPU shares the machine's memory, as on GB10, Strix Halo and Jetson (default: measured)",
    env: 'LLMKUBE_UNIFIED_MEMORY',
    helpGroup: HELP_GROUP,
  }),
};

/** The same, and what comes of a verdict, for every command that checks the memory for one model. */
export const machineFlags = {
  ...budgetFlags,
  'memory-check': Flags.option({ options: MEMORY_CHECKS })({
    default: 'enforce',
    description: 'enforce the verdict, only warn, or leave the check out',
    env: 'LLMKUBE_MEMORY_CHECK',
    helpGroup: HELP_GROUP,
  }),
};

/** What `budgetFlags` parse to, amounts in bytes. */
export type BudgetFlagValues = Partial<InferredFlags<typeof budgetFlags>>;

/** What `machineFlags` parse to. */
export type MachineFlagValues = BudgetFlagValues & Pick<InferredFlags<typeof machineFlags>, 'memory-check'>;
