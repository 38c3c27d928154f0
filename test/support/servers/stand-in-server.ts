import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const SERVER_VERSION = 'version: 0.8.0 (build 12032, commit abc)';

/** Writes a stand-in for llama-server into a folder: a script with this body, which notes that it was started once it is prepared. Its path. */
export function standInServer(folder: string, body: string, prepare = ''): string {
  const path = join(folder, 'llama-server');
  const version = `if [ "$1" = --version ]; then echo '${SERVER_VERSION}'; exit; fi`;
  writeFileSync(path, `#!/bin/sh\n${version}\n${prepare}\necho "$$ $*" >> ${join(folder, 'starts')}\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Process number and arguments of each start. */
export function startsIn(folder: string): string[] {
  const file = join(folder, 'starts');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}
