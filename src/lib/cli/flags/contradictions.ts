import { UsageError } from '../../errors.js';
import { meantAccelerator } from '../meant-machine.js';

type Values = Readonly<Record<string, unknown>>;

interface Rule {
  readonly flag: string;
  /** Why the flag says nothing here, to complete "--flag …"; undefined where it does. */
  readonly objection: (accelerator: string, values: Values) => string | undefined;
}

const DISCRETE = 'cuda, rocm, vulkan or intel';

/** Flags that would say nothing beside an accelerator, which nobody wants to find out by a wrong answer. */
const RULES: readonly Rule[] = [
  {
    flag: 'gpu-memory',
    objection: (accelerator) => {
      if (accelerator === 'metal') return "is for a GPU with memory of its own; Metal's limit is --gpu-wired-limit";
      return accelerator === 'cpu' ? `needs a GPU: name it with --accelerator ${DISCRETE}` : undefined;
    },
  },
  {
    flag: 'gpus',
    objection: (accelerator, values) => {
      if (accelerator === 'metal')
        return values.gpus === 1 ? undefined : 'is for machines with several GPUs; a Mac has one';
      return accelerator === 'cpu' ? `needs GPUs: name them with --accelerator ${DISCRETE}` : undefined;
    },
  },
  {
    flag: 'gpu-wired-limit',
    objection: (accelerator) =>
      accelerator === 'metal' ? undefined : 'is what Metal may wire, and needs --accelerator metal',
  },
  {
    flag: 'gpu-layers',
    objection: (accelerator, values) =>
      accelerator === 'cpu' && values['gpu-layers'] !== 0
        ? `needs a GPU: name it with --accelerator metal, ${DISCRETE}`
        : undefined,
  },
];

/**
 * Refuses flags that contradict each other.
 * @param values what a command's flags parsed to
 * @param variables flags that were not typed, and so mean less than those that were
 * @throws UsageError CONTRADICTION
 */
export async function refuseContradictions(values: Values, variables: ReadonlyMap<string, string>): Promise<void> {
  const isTyped = (flag: string): boolean => values[flag] !== undefined && !variables.has(flag);
  const typed = RULES.filter(({ flag }) => isTyped(flag));
  if (typed.length > 0) {
    const isCuda = values.gpu === true && values.accelerator === undefined;
    const { accelerator } = await meantAccelerator(isCuda ? { accelerator: 'cuda' } : values);
    for (const { flag, objection } of typed) {
      const why = objection(accelerator, values);
      if (why !== undefined) throw new UsageError('CONTRADICTION', `--${flag} ${why}`);
    }
  }
  if (isTyped('memory-fraction') && values['memory-budget'] !== undefined)
    throw new UsageError('CONTRADICTION', '--memory-fraction and --memory-budget are two budgets: leave one out');
}
