import * as Flags from '@oclif/core/flags';

const HELP_GROUP = 'VIEW';

/** What to show beside the verdict. */
export const viewFlags = {
  table: Flags.boolean({
    description: 'requirement by context, for several cache types or slots, or by quantization',
    helpGroup: HELP_GROUP,
  }),
  by: Flags.option({ options: ['cache-type', 'slots', 'quantization'] as const })({
    dependsOn: ['table'],
    description:
      'what the table is by (default: cache-type); with slots, each has the whole context to itself; quantization lists those of the repository',
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
    description: 'the verdict again whenever the memory of this machine changes by more than 1 %, until Ctrl-C',
    helpGroup: HELP_GROUP,
  }),
  html: Flags.string({
    description: 'write the answer as a page too, which recomputes it for other settings; replaces the file',
    helpValue: 'FILE',
  }),
};

export function wantsViews(flags: { table: boolean; machines: boolean; savings: boolean; chart: boolean }): boolean {
  return flags.table || flags.machines || flags.savings || flags.chart;
}
