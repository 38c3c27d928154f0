/**
 * What an option that is not modelled does to memory. `adds`: something beside the model that is not counted, so that
 * "fits" cannot be said; `moves`: between devices, which matters where they have memory of their own; `shifts`: a little,
 * or only downwards.
 */
export type UnmodelledEffect = 'adds' | 'moves' | 'shifts';

export interface UnmodelledOption {
  readonly names: readonly string[];
  readonly effect: UnmodelledEffect;
  /** Completes "`--name` …". */
  readonly consequence: string;
}

export const ANOTHER_MODEL = 'loads another model than the one that was checked';
const PLACEMENT = 'moves weights between devices, which the figures leave out';

/** `common_params_parser_init` in `common/arg.cpp` of llama.cpp v0.5.0, and the older `--mlock` family. */
export const UNMODELLED_OPTIONS: readonly UnmodelledOption[] = [
  {
    names: ['-m', '--model', '-mu', '--model-url', '-dr', '--docker-repo'],
    effect: 'adds',
    consequence: ANOTHER_MODEL,
  },
  { names: ['-hf', '-hfr', '--hf-repo', '-hff', '--hf-file'], effect: 'adds', consequence: ANOTHER_MODEL },
  {
    names: [
      ...['-otd', '--override-tensor-draft', '--spec-draft-override-tensor'],
      ...['-cmoed', '--cpu-moe-draft', '--spec-draft-cpu-moe'],
      ...['-ncmoed', '--n-cpu-moe-draft', '--spec-draft-n-cpu-moe', '--spec-draft-ncmoe'],
    ],
    effect: 'moves',
    consequence: PLACEMENT,
  },
  { names: ['--rpc'], effect: 'moves', consequence: PLACEMENT },
  {
    names: ['-lzm', '--lazy-mode'],
    effect: 'shifts',
    consequence: 'may leave some weights on disk; the figures count them as resident',
  },
  {
    names: ['-cms', '--checkpoint-min-step'],
    effect: 'shifts',
    consequence: 'changes how many context checkpoints there can be, which the figures leave out',
  },
];

const BY_NAME = new Map(UNMODELLED_OPTIONS.flatMap((option) => option.names.map((name) => [name, option] as const)));

export function unmodelledOption(name: string): UnmodelledOption | undefined {
  return BY_NAME.get(name);
}
