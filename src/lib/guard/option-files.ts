import { existsSync } from 'node:fs';
import { CheckIncompleteError } from '../errors.js';
import { homeFolder } from '../home-folder.js';
import { configFiles } from '../runtime/server-command.js';

/**
 * Options in llama-server's own files hold for every start, and are not read here.
 * @param env that of the server
 * @throws CheckIncompleteError CONFIG_FILE
 */
export function refuseOptionFiles(env: NodeJS.ProcessEnv): void {
  const file = configFiles(env, homeFolder()).find((path) => existsSync(path));
  if (file === undefined) return;
  throw new CheckIncompleteError('CONFIG_FILE', `llama-server takes options from ${file}, which are not read here`, {
    suggestions: ['give those options on the command line and remove the file'],
  });
}
