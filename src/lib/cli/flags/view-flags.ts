import * as Flags from '@oclif/core/flags';

const HELP_GROUP = 'VIEW';

/** What to show beside the verdict. */
export const viewFlags = {
  table: Flags.boolean({
    description: 'requirement by context, for several cache types or slots, or by quantization',
    helpGroup: HELP_GROUP,
  }),
  by: Flags.option({ options: ['cache-type', 'slots', 'quantization'] as const })({
    description:
      'a table by this (--table alone: by cache-type); with slots, each has the whole context to itself; quantization lists those of the repository',
    helpGroup: HELP_GROUP,
  }),
  machines: Flags.boolean({
    description: 'which Macs run it, and with what context at the most',
    helpGroup: HELP_GROUP,
  }),
  savings: Flags.boolean({
    description: 'what cache types, slots, batches and smaller quantizations save of the launch',
    helpGroup: HELP_GROUP,
  }),
  chart: Flags.boolean({
    description: 'where the memory goes as a bar, and memory by context as a chart',
    helpGroup: HELP_GROUP,
  }),
  watch: Flags.boolean({
    description:
      'the verdict again whenever the memory of this machine changes by more than 1 %, until Ctrl-C; with --json a line each time',
    exclusive: ['table', 'by', 'machines', 'savings', 'chart', 'html', 'print'],
    helpGroup: HELP_GROUP,
  }),
  html: Flags.string({
    description:
      'write the answer as a page too, which recomputes it for other settings; replaces the file, - is standard output',
    helpValue: 'FILE',
  }),
};

interface Views {
  readonly table: boolean;
  readonly by?: string | undefined;
  readonly machines: boolean;
  readonly savings: boolean;
  readonly chart: boolean;
}

export function wantsViews(flags: Views): boolean {
  return wantsTable(flags) || flags.machines || flags.savings || flags.chart;
}

export function wantsTable({ table, by }: Pick<Views, 'table' | 'by'>): boolean {
  return table || by !== undefined;
}
