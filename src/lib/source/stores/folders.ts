import { join } from 'node:path';
import { parseBoundedJson } from '../../bounded-json.js';
import { readRegularFile } from '../../read-regular-file.js';
import type { Environment } from '../http/proxies.js';

const LONGEST_SETTINGS = 2 ** 20;

/** Where Ollama keeps its models: `OLLAMA_MODELS`, the user's, the service's of Linux. */
export function ollamaFolders(env: Environment): readonly string[] {
  if (env.OLLAMA_MODELS) return [env.OLLAMA_MODELS];
  return [...inHome(env, '.ollama', 'models'), '/usr/share/ollama/.ollama/models', '/var/lib/ollama/.ollama/models'];
}

/**
 * Where LM Studio keeps its models: the folder that its settings name, and the ones it began with. Its home is the one that
 * `~/.lmstudio-home-pointer` names.
 */
export async function lmStudioFolders(env: Environment): Promise<readonly string[]> {
  const pointers = await Promise.all(inHome(env, '.lmstudio-home-pointer').map(readText));
  const homes = [
    ...pointers.map((text) => text.trim()).filter((path) => path !== ''),
    ...inHome(env, '.lmstudio'),
    ...inHome(env, '.cache', 'lm-studio'),
  ];
  const chosen = await Promise.all(
    homes.map(async (home) => downloadsFolder(await readText(join(home, 'settings.json')))),
  );
  return [...new Set([...chosen.flat(), ...homes.map((home) => join(home, 'models'))])];
}

/** `get_cache_directory` of `common/hf-cache.cpp` (llama.cpp v0.5.0), which is that of Hugging Face's own tools and llama.cpp's. */
export function hubCacheFolders(env: Environment): readonly string[] {
  const { LLAMA_CACHE: llamaCache, HF_HOME: hfHome, XDG_CACHE_HOME: xdg } = env;
  const hub = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE;
  const own = hub
    ? [hub]
    : hfHome
      ? [join(hfHome, 'hub')]
      : xdg
        ? [join(xdg, 'huggingface', 'hub')]
        : inHome(env, '.cache', 'huggingface', 'hub');
  return [...(llamaCache ? [llamaCache] : []), ...own];
}

/** Where llama.cpp kept downloads before it shared the hub's cache: `fs_get_cache_directory` of `common/common.cpp`. */
export function llamaCacheFolders(env: Environment): readonly string[] {
  if (env.LLAMA_CACHE) return [env.LLAMA_CACHE];
  const linux = env.XDG_CACHE_HOME ? [join(env.XDG_CACHE_HOME, 'llama.cpp')] : inHome(env, '.cache', 'llama.cpp');
  const windows = env.LOCALAPPDATA ? [join(env.LOCALAPPDATA, 'llama.cpp')] : [];
  return [...linux, ...inHome(env, 'Library', 'Caches', 'llama.cpp'), ...windows];
}

function inHome(env: Environment, ...path: string[]): string[] {
  const home = env.HOME || env.USERPROFILE;
  return home ? [join(home, ...path)] : [];
}

function downloadsFolder(settings: string): string[] {
  try {
    const { downloadsFolder: folder } = parseBoundedJson(settings) as { downloadsFolder?: unknown };
    return typeof folder === 'string' && folder !== '' ? [folder] : [];
  } catch {
    return [];
  }
}

async function readText(path: string): Promise<string> {
  return readRegularFile(path, LONGEST_SETTINGS).catch(() => '');
}
