import { access } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import type { Cluster, Context, KubeConfig, User } from '@kubernetes/client-node';
import { load } from 'js-yaml';
import { ClusterError } from '../../errors.js';
import { homeFolder } from '../../home-folder.js';
import { nearest } from '../../nearest.js';
import { printable } from '../../printable.js';
import { readRegularFile, UnreadableFileError } from '../../read-regular-file.js';
import { ExecCredentials, type ExecPlugin } from './exec-credentials.js';
import { isLongYaml, MOST_MARKS_AT_ONCE } from '../../yaml-size.js';
import { mismatch, type Shape } from './shape.js';

/** Which cluster: as kubectl's own flags say it. */
export interface ClusterChoice {
  /** One file (`--kubeconfig`), instead of `KUBECONFIG` or `~/.kube/config`. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  /** The proxy for a server whose kubeconfig names none. */
  readonly proxyFor?: ((server: URL) => URL | undefined) | undefined;
  /** What can be done where there is none, to be said then. */
  readonly withoutCluster?: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type ExecConfig = Partial<Mutable<ExecPlugin>> & { apiVersion?: string; provideClusterInfo?: boolean };

/** Which cluster, and who gives its credentials when a plugin does. */
export interface LoadedKubeConfig {
  readonly config: KubeConfig;
  readonly plugin: ExecCredentials | undefined;
}

const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';
/** Of more contexts a message names a few. */
const MOST_LISTED = 10;
/** Those of hundreds of clusters, certificates and all, take less; kubectl itself has no limit. */
const MAX_KUBECONFIG_BYTES = 2 * 2 ** 20;
/** As far as it is used; client-node takes anything for anything. */
const KUBECONFIG: Shape = {
  'current-context': 'string',
  clusters: [
    {
      name: 'string',
      cluster: {
        server: 'string',
        'certificate-authority': 'string',
        'certificate-authority-data': 'string',
        'tls-server-name': 'string',
        'insecure-skip-tls-verify': 'boolean',
        'proxy-url': 'string',
      },
    },
  ],
  contexts: [{ name: 'string', context: { cluster: 'string', user: 'string', namespace: 'string' } }],
  users: [
    {
      name: 'string',
      user: {
        token: 'string',
        tokenFile: 'string',
        username: 'string',
        password: 'string',
        'client-certificate': 'string',
        'client-certificate-data': 'string',
        'client-key': 'string',
        'client-key-data': 'string',
        exec: { command: 'string', args: ['string'], env: [{ name: 'string', value: 'string' }], apiVersion: 'string' },
        'auth-provider': { name: 'string', config: 'object' },
      },
    },
  ],
};
const ANONYMOUS: User = { name: '' };

/**
 * Credentials and address of a cluster, found where kubectl finds them: one file that was named, else all files of
 * `KUBECONFIG` (the first to say something wins, missing ones are skipped), else `~/.kube/config`, else the service
 * account of the pod this runs in.
 * @throws ClusterError KUBECONFIG_NOT_FOUND | KUBECONFIG_INVALID | CONTEXT_NOT_FOUND
 */
export async function loadKubeConfig(choice: ClusterChoice): Promise<LoadedKubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const files = await kubeconfigFiles(choice.kubeconfig);
  const config = new KubeConfig();
  if (files.length > 0) {
    const parts = await Promise.all(files.map((file) => readKubeConfig(file, new KubeConfig())));
    config.loadFromOptions(mergeConfigs(parts));
  } else if (process.env.KUBERNETES_SERVICE_HOST && (await exists(SERVICE_ACCOUNT_TOKEN))) {
    config.loadFromCluster();
  } else {
    throw new ClusterError('KUBECONFIG_NOT_FOUND', 'no kubeconfig was found, so there is no cluster to talk to', {
      suggestions: [['name one with --kubeconfig or KUBECONFIG', choice.withoutCluster].filter(Boolean).join(', or ')],
    });
  }
  return { config, plugin: useContext(config, choice) };
}

async function kubeconfigFiles(named: string | undefined): Promise<string[]> {
  if (named !== undefined) {
    if (await exists(named)) return [named];
    throw new ClusterError('KUBECONFIG_NOT_FOUND', `the kubeconfig ${named} does not exist or cannot be read`);
  }
  const listed = (process.env.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '');
  const found = await Promise.all((listed.length > 0 ? listed : [join(homeFolder(), '.kube', 'config')]).map(existing));
  const files = found.filter((file) => file !== undefined);
  if (listed.length > 0 && files.length === 0) {
    throw new ClusterError('KUBECONFIG_NOT_FOUND', `KUBECONFIG names ${listed.join(' and ')}, which cannot be read`);
  }
  return files;
}

/** Parse errors carry lines of the file, which may hold a token, so only the place is said. */
async function readKubeConfig(file: string, config: KubeConfig): Promise<KubeConfig> {
  const directory = dirname(resolve(file));
  try {
    const text = await readRegularFile(file, MAX_KUBECONFIG_BYTES);
    if (isLongYaml(text))
      throw new UnreadableFileError(`it has more than ${MOST_MARKS_AT_ONCE} keys, values and lines`);
    const document = load(text);
    const problem = mismatch(document, KUBECONFIG, '');
    if (problem !== undefined) throw new UnreadableFileError(`its ${problem}`);
    config.loadFromString(text);
    readTokenFiles(config, document as Users, directory);
  } catch (error) {
    const { line } = (error as { mark?: { line?: number } }).mark ?? {};
    const why = error instanceof UnreadableFileError ? `cannot be used: ${error.message}` : 'is not a kubeconfig';
    const reason = line === undefined ? why : `is not valid YAML near line ${line + 1}`;
    throw new ClusterError('KUBECONFIG_INVALID', `the kubeconfig ${file} ${reason}`);
  }
  config.makePathsAbsolute(directory);
  for (const user of config.users) resolveExecCommand(user, directory);
  return config;
}

interface Users {
  readonly users?: readonly { readonly name: string; readonly user?: { readonly tokenFile?: string } }[];
}

/** client-node knows `tokenFile` as an auth provider only, not where kubectl writes it. */
function readTokenFiles(config: KubeConfig, { users }: Users, directory: string): void {
  const known = new Map(firstOfEachName(config.users).map((user) => [user.name, user as Mutable<User>]));
  for (const { name, user } of users ?? []) {
    const target = known.get(name);
    if (user?.tokenFile === undefined || target === undefined) continue;
    target.authProvider = { name: 'tokenFile', config: { tokenFile: resolve(directory, user.tokenFile) } };
    delete target.token;
  }
}

/** A plugin named by a path is relative to its kubeconfig; a bare name is looked up in `PATH`. */
function resolveExecCommand(user: User, directory: string): void {
  const exec = user.exec as ExecConfig | undefined;
  if (exec?.command?.includes('/') && !isAbsolute(exec.command)) exec.command = join(directory, exec.command);
}

function mergeConfigs(parts: readonly KubeConfig[]) {
  return {
    clusters: firstOfEachName(parts.flatMap((part) => part.clusters)),
    contexts: firstOfEachName(parts.flatMap((part) => part.contexts)),
    users: firstOfEachName(parts.flatMap((part) => part.users)),
    currentContext: parts.map((part) => part.currentContext).find((name) => Boolean(name)) ?? '',
  };
}

function firstOfEachName<T extends Cluster | Context | User>(items: readonly T[]): T[] {
  const first = new Map<string, T>();
  for (const item of items) if (!first.has(item.name)) first.set(item.name, item);
  return [...first.values()];
}

function useContext(config: KubeConfig, { context: wanted, proxyFor }: ClusterChoice): ExecCredentials | undefined {
  const name = wanted ?? config.getCurrentContext();
  if (!name) {
    throw new ClusterError('CONTEXT_NOT_FOUND', 'the kubeconfig names no current context', {
      suggestions: [`choose one with --kube-context (${contextNames(config, '')})`],
    });
  }
  const context = config.contexts.find((candidate) => candidate.name === name);
  if (context === undefined) {
    throw new ClusterError('CONTEXT_NOT_FOUND', `the kubeconfig has no context "${name}"`, {
      suggestions: [`choose one with --kube-context (${contextNames(config, name)})`],
    });
  }
  config.setCurrentContext(name);
  const cluster = config.getCluster(context.cluster);
  if (!cluster) {
    throw new ClusterError(
      'KUBECONFIG_INVALID',
      `context "${name}" uses the cluster "${context.cluster}", which is not in the kubeconfig`,
    );
  }
  // Without TLS there is nothing to verify, and client-node refuses plain HTTP unless verification is off.
  if (cluster.server.startsWith('http:')) (cluster as Mutable<Cluster>).skipTLSVerify = true;
  if (!cluster.proxyUrl && URL.canParse(cluster.server)) {
    const proxy = proxyFor?.(new URL(cluster.server));
    if (proxy) (cluster as Mutable<Cluster>).proxyUrl = proxy.href;
  }
  return prepareUser(config, context, cluster);
}

function prepareUser(config: KubeConfig, context: Context, cluster: Cluster): ExecCredentials | undefined {
  const user = config.getCurrentUser();
  if (!user && context.user) {
    throw new ClusterError(
      'KUBECONFIG_INVALID',
      `context "${context.name}" uses the user "${context.user}", which is not in the kubeconfig`,
    );
  }
  if (!user || cluster.server.startsWith('http:')) {
    // Like kubectl, nobody's credentials over a connection that anybody can read.
    // client-node reads the cluster's certificate authority only when there is a user.
    config.users.push(ANONYMOUS);
    (context as Mutable<Context>).user = ANONYMOUS.name;
    return undefined;
  }
  const exec = user.exec as ExecConfig | undefined;
  if (!exec) return undefined;
  if (!exec.command) {
    throw new ClusterError(
      'KUBECONFIG_INVALID',
      `the user "${context.user}" of the kubeconfig names no command to log in with`,
    );
  }
  // Run by ourselves: client-node waits for ever and keeps whatever a plugin prints.
  delete (user as Mutable<User>).exec;
  const env = [...(exec.env ?? []), { name: 'KUBERNETES_EXEC_INFO', value: execInfo(exec, cluster) }];
  return new ExecCredentials({ ...exec, command: exec.command, env }, user);
}

/** What kubectl tells an exec plugin about the call; several refuse to run without it. */
function execInfo(
  { apiVersion, provideClusterInfo }: ExecConfig,
  { server, caData, tlsServerName, skipTLSVerify }: Cluster,
): string {
  const cluster = {
    server,
    ...(caData !== undefined && { 'certificate-authority-data': caData }),
    ...(tlsServerName !== undefined && { 'tls-server-name': tlsServerName }),
    ...(skipTLSVerify && { 'insecure-skip-tls-verify': true }),
  };
  return JSON.stringify({
    apiVersion,
    kind: 'ExecCredential',
    spec: { ...(provideClusterInfo && { cluster }), interactive: false },
  });
}

/** All of a few, else those that `wanted` may have meant. */
function contextNames({ contexts }: KubeConfig, wanted: string): string {
  const names = contexts.map(({ name }) => printable(name));
  if (names.length <= MOST_LISTED) return names.join(', ') || 'it has none';
  const near = nearest(wanted, names);
  const shown = near.length > 0 ? near : names.slice(0, MOST_LISTED);
  return `${shown.join(', ')}, …: the kubeconfig has ${names.length}`;
}

async function existing(file: string): Promise<string | undefined> {
  return (await exists(file)) ? file : undefined;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
