import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BaseCommand } from './base-command.js';
import { cacheDirHere } from './cache-dir.js';
import type { QuickConfig } from './quick/command.js';
import { printOut } from './terminal/out.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

type RunnableCommand = (new (argv: string[], config: never) => BaseCommand) & { id: string };

/** What loads a command, by the command's id: its words, joined by colons as oclif joins them. */
export type CommandModules = Readonly<Record<string, () => Promise<{ readonly default: unknown }>>>;

/**
 * Runs a command that is named in full and not asked for help, without oclif finding and loading its plugins first, which takes as
 * long as a check, or says which version this is. No hooks run. False where the words name none of the commands.
 */
export async function runQuickly(modules: CommandModules, words: readonly string[]): Promise<boolean> {
  if (words[0] === '--version' && !isWindowsLinux()) {
    printOut(`llmkube/${(await quickConfig()).version} ${process.platform}-${process.arch} node-${process.version}`);
    return true;
  }
  const length = [2, 1].find((count) => Object.hasOwn(modules, words.slice(0, count).join(':')));
  const id = words.slice(0, length).join(':');
  const load = length === undefined ? undefined : modules[id];
  if (load === undefined) return false;
  const Command = (await load()).default as RunnableCommand;
  Command.id = id;
  await new Command(words.slice(length), (await quickConfig()) as never).start();
  return true;
}

async function quickConfig(): Promise<QuickConfig> {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string };
  return { version, cacheDir: cacheDirHere() };
}

/** Where oclif has a name of its own for the platform. */
function isWindowsLinux(): boolean {
  return process.platform === 'linux' && /microsoft/i.test(release());
}
