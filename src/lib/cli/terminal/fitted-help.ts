import { Help } from '@oclif/core/help';
import { commandText } from '../../report/layout/command-text.js';
import { folded, terminalWidth, widthIfRead } from './terminal-width.js';

const EXAMPLE = /^(\s*)\$ (.*)$/;
/** As oclif says it. */
const NO_COMMAND = /^Command .* not found\.$/s;
/** What a shell takes for one word, with the value of an option before it. */
const WORDS = /--?[a-z][\w-]*(?:[ =](?:"[^"]*"|[^\s"<>|-]\S*))?|"[^"]*"|\S+/g;

/** oclif's help; what it does not break itself, summaries and examples, is broken between words, examples so that they can be copied. */
export default class FittedHelp extends Help {
  override async showHelp(argv: string[]): Promise<void> {
    try {
      await super.showHelp(argv);
    } catch (error) {
      const id = argv.filter((word) => !word.startsWith('-')).join(':');
      if (!(error instanceof Error) || !NO_COMMAND.test(error.message)) throw error;
      await this.config.runHook('command_not_found', { id, argv });
    }
  }

  protected override log(...texts: string[]): void {
    super.log(...(widthIfRead(process.stdout) === undefined ? texts : texts.map(fitted)));
  }
}

function fitted(text: string): string {
  const width = terminalWidth(process.stdout);
  const lines = text.split('\n').map((line) => {
    const [, indent = '', command] = EXAMPLE.exec(line) ?? [];
    if (command === undefined || line.length <= width) return line;
    return commandText(['$', ...(command.match(WORDS) ?? [])], width, indent);
  });
  return folded(lines.join('\n'), process.stdout);
}
