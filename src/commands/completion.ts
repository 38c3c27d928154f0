import * as Args from '@oclif/core/args';
import { loadCatalog } from '../lib/catalog/load-catalog.js';
import { BaseCommand } from '../lib/cli/base-command.js';
import { completionScript, SHELLS, type Shell, type ValuedFlag } from '../lib/cli/completion-script.js';
import { catalogFlag } from '../lib/cli/flags/model-flags.js';
import { serverOption } from '../lib/runtime/options/server-options.js';
import { FILE_TYPES } from '../lib/model/quantization/quantization.js';

interface KnownFlag {
  readonly name: string;
  readonly type: string;
  readonly char?: string | undefined;
  readonly options?: readonly string[] | undefined;
}

/** Each flag once; `-q` proposes by itself. */
function valuedFlags(flags: readonly KnownFlag[]): readonly ValuedFlag[] {
  const byName = new Map(flags.flatMap((flag) => (flag.type === 'option' ? [[flag.name, flag] as const] : [])));
  byName.delete('quantization');
  return [...byName].map(([name, { char, options = [] }]) => ({
    name,
    spellings: [
      ...new Set([
        `--${name}`,
        ...(char === undefined ? [] : [`-${char}`]),
        ...(serverOption(`--${name}`)?.names ?? []),
      ]),
    ],
    values: options.filter((value) => PLAIN.test(value)),
  }));
}

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
      valued: valuedFlags(this.config.commands.flatMap(({ flags: own }) => Object.values(own))),
    });
    this.write(script.trimEnd());
  }
}
