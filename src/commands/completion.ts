import * as Args from '@oclif/core/args';
import { loadCatalog } from '../lib/catalog/load-catalog.js';
import { BaseCommand } from '../lib/cli/base-command.js';
import { completionScript, SHELLS, type Shell } from '../lib/cli/completion-script.js';
import { catalogFlag } from '../lib/cli/flags/model-flags.js';
import { FILE_TYPES } from '../lib/model/quantization/quantization.js';

/** What is safe between the quotes of a shell. */
const PLAIN = /^[\w.:/+-]+$/;

export default class Completion extends BaseCommand {
  static override args = {
    shell: Args.string({
      description: 'the shell that is to complete',
      ignoreStdin: true,
      options: [...SHELLS],
      required: true,
    }),
  };
  static override description = `Prints a script that completes commands, flags, the catalogue's ids and aliases, and quantizations behind -q. It holds all of \
them, so a Tab starts nothing; source it anew after an update, or with another catalogue.`;
  static override enableJsonFlag = false;
  static override examples = [
    'source <(<%= config.bin %> <%= command.id %> bash)',
    'source <(<%= config.bin %> <%= command.id %> zsh)',
    '<%= config.bin %> <%= command.id %> fish > ~/.config/fish/completions/<%= config.bin %>.fish',
  ];
  static override flags = { catalog: catalogFlag };
  static override summary = 'print a script for the completion of a shell';

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Completion);
    const catalog = await loadCatalog(flags.catalog);
    const commands = this.config.commands
      .filter(({ hidden }) => !hidden)
      .map(({ id, flags: own }) => [id.replaceAll(':', ' '), Object.keys(own).map((name) => `--${name}`)] as const);
    const script = completionScript(args.shell as Shell, {
      models: catalog.flatMap(({ id, aliases }) => [id, ...aliases]).filter((name) => PLAIN.test(name)),
      quantizations: Object.values(FILE_TYPES),
      commands: Object.fromEntries(commands),
    });
    this.write(script.trimEnd());
  }
}
