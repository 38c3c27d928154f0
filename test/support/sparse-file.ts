import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file of `bytes` bytes that begins with `start`; the rest is a hole that takes no space on disk. */
export async function writeSparseFile(path: string, start: Uint8Array, bytes: number): Promise<void> {
  const file = await open(path, 'w');
  await file.write(start);
  await file.truncate(bytes);
  await file.close();
}

/** A new folder under the system's temporary one, and how to remove it. */
export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'llmkube-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
