import { chmod, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { temporaryFolder } from './sparse-file.js';

export interface FakeMachine {
  /** For a child process. */
  readonly env: Readonly<Record<string, string>>;
  readonly remove: () => Promise<void>;
}

const MAC = `for (const [key, value] of [['platform', 'darwin'], ['arch', 'arm64']]) Object.defineProperty(process, key, { value })`;

/** A machine whose programs are these shell scripts, by name, before the real ones. */
export async function fakeMachine(scripts: Readonly<Record<string, string>>): Promise<FakeMachine> {
  const { path, remove } = await temporaryFolder();
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(path, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(path, name), 0o755);
  }
  return { env: { PATH: `${path}${delimiter}${process.env.PATH}` }, remove };
}

/** One on which Node.js says that it is an Apple silicon Mac. */
export async function fakeMac(scripts: Readonly<Record<string, string>>): Promise<FakeMachine> {
  const { env, remove } = await fakeMachine(scripts);
  return { env: { ...env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(MAC)}` }, remove };
}
