import { afterEach, beforeEach } from '@jest/globals';
import { join } from 'node:path';
import { type CliResult, cliEnvironment, run, RUN_JS } from './run-cli.js';
import { temporaryFolder } from './sparse-file.js';
import { writeTinyModel } from './models/tiny-model.js';

/** A folder of its own for each test, with a tiny model and a ledger in it, in which `llmkube exec` is run. */
export function execFolder() {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let env: NodeJS.ProcessEnv;
  const at = (name: string): string => join(folder.path, name);
  beforeEach(async () => {
    folder = await temporaryFolder();
    env = cliEnvironment({ LLMKUBE_STATE_DIR: at('state'), LLMKUBE_CACHE_DIR: at('cache') });
    await writeTinyModel(at('tiny.gguf'));
  });
  afterEach(() => folder.remove());
  return {
    at,
    path: (): string => folder.path,
    env: (): NodeJS.ProcessEnv => env,
    model: (): string[] => ['-m', at('tiny.gguf'), '-c', '512'],
    exec: (flags: readonly string[], ...command: readonly string[]): Promise<CliResult> =>
      run(process.execPath, [RUN_JS, 'exec', ...flags, '--', ...command], env),
  };
}
