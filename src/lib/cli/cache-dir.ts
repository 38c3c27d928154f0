import { join } from 'node:path';
import { homeFolder } from '../home-folder.js';

const NAME = 'llmkube';

/** The program's cache folder, where oclif has it, too (`Config.cacheDir`). */
export function cacheDirHere(env: NodeJS.ProcessEnv = process.env, home: string = homeFolder(env)): string {
  if (env.LLMKUBE_CACHE_DIR) return env.LLMKUBE_CACHE_DIR;
  if (process.platform === 'darwin') return join(home, 'Library', 'Caches', NAME);
  const local = process.platform === 'win32' ? env.LOCALAPPDATA : undefined;
  return join(env.XDG_CACHE_HOME || local || join(home, '.cache'), NAME);
}
