import { homedir } from 'node:os';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core/config';
import type { BaseCommand } from './base-command.js';
import { cacheDirHere } from './cache-dir.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

type RunnableCommand = (new (argv: string[], config: Config) => BaseCommand) & { id: string };

/**
 * Runs one command without finding and loading oclif's plugins first, which takes as long as everything else together.
 * No hooks run, so this is only for commands that are named in full and not asked for help.
 */
export async function runQuickly(id: string, Command: RunnableCommand, argv: string[]): Promise<void> {
  Command.id = id;
  await new Command(argv, await quickConfig()).start();
}

/** What a command asks of oclif's configuration, as `Config.load` would fill it in. */
async function quickConfig(): Promise<Config> {
  const config = new Config({ root: ROOT });
  const pjson = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Config['pjson'];
  const { name, version } = pjson;
  const bin = pjson.oclif.bin ?? name;
  const userAgent = `${name}/${version} ${process.platform}-${process.arch} node-${process.version}`;
  config.runHook = async () => ({ failures: [], successes: [] });
  Object.assign(config, { bin, dirname: bin, home: homedir(), name, pjson, root: ROOT, userAgent, version });
  config.cacheDir = cacheDirHere(process.env, config.home);
  return config;
}
