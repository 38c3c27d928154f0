import * as Flags from '@oclif/core/flags';

const COMMANDS = ['llama-server', 'deploy', 'exec'] as const;

/** Which command is printed for a launch. */
export type PrintedCommand = (typeof COMMANDS)[number];

export const printFlag = Flags.option({ options: COMMANDS })({
  description: 'print the command that runs it, too, and that of each piece of advice, ready to be copied',
  helpGroup: 'VIEW',
});
