import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';

export interface ClusterEntry {
  readonly server: string;
  readonly token?: string;
  readonly namespace?: string;
  readonly caFile?: string;
  /** The user entry as it is, instead of a token. */
  readonly user?: Readonly<Record<string, unknown>>;
  readonly insecure?: boolean;
}

/** Writes a kubeconfig with one context for each entry, named as the entry; the first is current. */
export async function writeKubeconfig(
  entries: Readonly<Record<string, ClusterEntry>>,
  current?: string,
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'llmkube-kubeconfig-'));
  const file = join(directory, 'config');
  const named = Object.entries(entries);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': current ?? named[0]?.[0],
    clusters: named.map(([name, { server, caFile, insecure }]) => ({
      name,
      cluster: {
        server,
        ...(caFile && { 'certificate-authority': caFile }),
        ...(insecure && { 'insecure-skip-tls-verify': true }),
      },
    })),
    users: named.map(([name, { token, user }]) => ({ name, user: user ?? (token ? { token } : {}) })),
    contexts: named.map(([name, { namespace }]) => ({
      name,
      context: { cluster: name, user: name, ...(namespace && { namespace }) },
    })),
  };
  await writeFile(file, dump(config));
  return file;
}
