import { stripVTControlCharacters } from 'node:util';
import { parseBoundedJson } from '../../bounded-json.js';
import type { User } from '@kubernetes/client-node';
import { ClusterError } from '../../errors.js';
import { withoutNamedSecrets } from './named-secrets.js';
import { cleanText } from './clean-text.js';
import { runPlugin, type PluginEnd } from './plugin-process.js';

/** What a kubeconfig says of an exec plugin. */
export interface ExecPlugin {
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly interactiveMode?: string;
}

interface Credential {
  readonly token?: string;
  readonly clientCertificateData?: string;
  readonly clientKeyData?: string;
  readonly expirationTimestamp?: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A plugin that asks a person to log in takes a while; one that hangs is ended. */
const PLUGIN_TIMEOUT_MS = 60_000;
/** A credential is a few kilobytes: a token or a certificate with its key. */
const MAX_OUTPUT_BYTES = 2 ** 20;
/** A credential this close to its end is asked for anew. */
const EXPIRY_MARGIN_MS = 10_000;
const LONGEST_COMPLAINT = 300;

/** The credentials that an exec plugin of a kubeconfig gives (client.authentication.k8s.io), kept until they expire. */
export class ExecCredentials {
  #expiresAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly plugin: ExecPlugin,
    /** Gets the token or the certificate. */
    private readonly user: Mutable<User>,
    private readonly timeoutMs = PLUGIN_TIMEOUT_MS,
  ) {}

  /** @throws ClusterError CREDENTIALS_FAILED, never with what the plugin printed on stdout, which may be the credential */
  async refresh(signal: AbortSignal | undefined): Promise<void> {
    if (Date.now() < this.#expiresAt - EXPIRY_MARGIN_MS) return;
    const { token, clientCertificateData, clientKeyData, expirationTimestamp } = await this.#run(signal);
    if (token !== undefined) this.user.token = token;
    if (clientCertificateData !== undefined) this.user.certData = base64(clientCertificateData);
    if (clientKeyData !== undefined) this.user.keyData = base64(clientKeyData);
    const expiry = Date.parse(expirationTimestamp ?? '');
    this.#expiresAt = Number.isNaN(expiry) ? Number.POSITIVE_INFINITY : expiry;
  }

  async #run(signal: AbortSignal | undefined): Promise<Credential> {
    const { command, args = [], env = [], interactiveMode } = this.plugin;
    const end = await runPlugin(command, args, {
      env: { ...process.env, ...Object.fromEntries(env.map(({ name, value }) => [name, value])) },
      timeoutMs: this.timeoutMs,
      mostBytes: MAX_OUTPUT_BYTES,
      signal,
      // A group of its own cannot ask a person at the terminal.
      keepsTerminal: interactiveMode !== 'Never' && hasTerminal(),
    }).catch((error: Error & { code?: string }) => {
      if (signal?.aborted) throw error;
      throw failed(whyNotStarted(error, command));
    });
    if (end.code !== 0 || end.ended !== undefined) throw failed(reasonOf(end, this.timeoutMs));
    const credential = parseCredential(end.stdout);
    if (credential === undefined) throw failed('its plugin printed something that is not a credential');
    return credential;
  }
}

function hasTerminal(): boolean {
  return [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
}

function whyNotStarted({ code }: { code?: string }, command: string): string {
  if (code === 'ENOENT') return `the plugin "${cleanText(command)}" is not installed`;
  return `the plugin "${cleanText(command)}" cannot be started (${code ?? 'for no known reason'})`;
}

function reasonOf({ code, ended, stderr }: PluginEnd, timeoutMs: number): string {
  if (ended === 'long') return 'its plugin printed more than any credential is long';
  if (ended === 'late') return `its plugin did not end within ${timeoutMs / 1000} s`;
  const words = withoutNamedSecrets(cleanText(stripVTControlCharacters(stderr))).slice(0, LONGEST_COMPLAINT);
  return words === '' ? `its plugin ended with ${code ?? 'a signal'} and no word` : words;
}

function parseCredential(text: string): Credential | undefined {
  try {
    const { status } = parseBoundedJson(text) as { status?: Record<string, unknown> };
    if (typeof status !== 'object' || status === null) return undefined;
    const texts = Object.entries(status).filter(([, value]) => typeof value === 'string');
    const credential: Credential = Object.fromEntries(texts);
    return credential.token !== undefined || credential.clientCertificateData !== undefined ? credential : undefined;
  } catch {
    return undefined;
  }
}

function failed(reason: string): ClusterError {
  return new ClusterError('CREDENTIALS_FAILED', `no credentials for the cluster: ${reason}`, {
    suggestions: ['run the plugin that the kubeconfig names by hand, or log in again'],
  });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
