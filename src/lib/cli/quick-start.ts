import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core/config';
import type { BaseCommand } from './base-command.js';
import { homeFolder } from '../home-folder.js';
import { cacheDirHere } from './cache-dir.js';
import { printOut } from './terminal/out.js';
import { endWhereOutputFails } from './terminal/output-failure.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

type RunnableCommand = (new (argv: string[], config: Config) => BaseCommand) & { id: string };

/** What loads a command, by the command's id: its words, joined by colons as oclif joins them. */
export type CommandModules = Readonly<Record<string, () => Promise<{ readonly default: unknown }>>>;

/**
 * Runs a command that is named in full and not asked for help, without oclif finding and loading its plugins first, which takes as
 * long as a check, or says which version this is. No hooks run. False where the words name none of the commands.
 */
export async function runQuickly(modules: CommandModules, words: readonly string[]): Promise<boolean> {
  if (words[0] === '--version' && !isWindowsLinux()) {
    endWhereOutputFails();
    printOut(quickConfig().userAgent);
    return true;
  }
  const length = [2, 1].find((count) => Object.hasOwn(modules, words.slice(0, count).join(':')));
  const id = words.slice(0, length).join(':');
  const load = length === undefined ? undefined : modules[id];
  if (load === undefined) return false;
  const Command = (await load()).default as RunnableCommand;
  Command.id = id;
  await new Command(words.slice(length), quickConfig()).start();
  return true;
}

/** What a command asks of oclif's configuration, as `Config.load` would fill it in. */
function quickConfig(): Config {
  const config = new Config({ root: ROOT });
  const pjson = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Config['pjson'];
  const { name, version } = pjson;
  const bin = pjson.oclif.bin ?? name;
  const userAgent = `${name}/${version} ${process.platform}-${process.arch} node-${process.version}`;
  config.runHook = async () => ({ failures: [], successes: [] });
  Object.assign(config, { bin, dirname: bin, home: homeFolder(), name, pjson, root: ROOT, userAgent, version });
  config.cacheDir = cacheDirHere();
  return config;
}

/** Where oclif has a name of its own for the platform. */
function isWindowsLinux(): boolean {
  return process.platform === 'linux' && /microsoft/i.test(release());
}
