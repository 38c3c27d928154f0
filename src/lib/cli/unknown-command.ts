import type { Hook } from '@oclif/core/hooks';
import { nearest } from '../nearest.js';
import { shown } from '../printable.js';
import { renderFailure } from './terminal/render-failure.js';
import { printJson, printNotice } from './terminal/out.js';

/** As shells end where there is no such program. */
const NO_SUCH_COMMAND = 127;

/** A model in the place of a command. */
const MODEL = /^(?:[^:]*[/\\]|[^:]*\.gguf$|(?:hf|ollama|lmstudio|ms|https?):)/i;

/** What stands alone, without a command. */
const LONE_FLAGS = ['--version', '--help'];

/** Tells a command that there is not from those that there are. */
const unknownCommand: Hook.CommandNotFound = async ({ id, argv = [], config }) => {
  const commands = config.commands.filter(({ hidden }) => !hidden);
  const names = commands.flatMap((one) => [one.id, ...one.aliases].map((name) => name.replaceAll(':', ' ')));
  const known = [...new Set(names)];
  // Arguments are taken for words of the command.
  const words = id.split(':');
  const isTopic = known.some((name) => name.startsWith(`${words[0]} `));
  const typed = words.slice(0, isTopic ? 2 : 1).join(' ');
  const isServer = /(?:^|\/)llama-server$/.test(words[0] ?? '');
  const meant = isServer
    ? ['exec -- llama-server …']
    : MODEL.test(id)
      ? [`check-memory ${shown(id)}`]
      : typed.startsWith('-')
        ? LONE_FLAGS.filter((flag) => flag.startsWith(typed.toLowerCase().replace(/^-+/, '--')))
        : nearest(typed, known);
  const failure = {
    code: 'USAGE',
    exitCode: NO_SUCH_COMMAND,
    message: `there is no command ${shown(typed)}`,
    suggestions: [meant.length > 0 ? `did you mean ${meant.join(' or ')}?` : 'llmkube --help shows them all'],
  };
  process.exitCode = NO_SUCH_COMMAND;
  const { code, message, suggestions } = failure;
  if (argv.includes('--json')) printJson({ error: { code, message, suggestions } });
  else printNotice(renderFailure(failure).trimEnd());
};

export default unknownCommand;
