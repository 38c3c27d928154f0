import { execFile } from 'node:child_process';
import { parseBoundedJson } from '../../bounded-json.js';
import type { User } from '@kubernetes/client-node';
import { ClusterError } from '../../errors.js';
import { cleanText } from './clean-text.js';

/** What a kubeconfig says of an exec plugin. */
export interface ExecPlugin {
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
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

  #run(signal: AbortSignal | undefined): Promise<Credential> {
    const { command, args = [], env = [] } = this.plugin;
    const options = {
      env: { ...process.env, ...Object.fromEntries(env.map(({ name, value }) => [name, value])) },
      timeout: this.timeoutMs,
      maxBuffer: MAX_OUTPUT_BYTES,
      killSignal: 'SIGKILL' as const,
      signal,
    };
    return new Promise((resolve, reject) => {
      execFile(command, args, options, (error, stdout, stderr) => {
        if (error === null) return resolve(parseCredential(stdout));
        if (signal?.aborted) return reject(error);
        reject(failed(reasonOf(error, command, stderr, this.timeoutMs)));
      }).stdin?.end();
    }).then((credential) => (credential as Credential | undefined) ?? Promise.reject(notACredential()));
  }
}

function reasonOf(
  error: Error & { code?: unknown; killed?: boolean },
  command: string,
  stderr: string,
  timeoutMs: number,
): string {
  if (error.code === 'ENOENT') return `the plugin "${cleanText(command)}" is not installed`;
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'its plugin printed more than any credential is long';
  if (error.killed) return `its plugin did not end within ${timeoutMs / 1000} s`;
  const words = cleanText(stderr).slice(0, LONGEST_COMPLAINT);
  return words === '' ? `its plugin ended with ${String(error.code ?? 'a signal')} and no word` : words;
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

function notACredential(): ClusterError {
  return failed('its plugin printed something that is not a credential');
}

function failed(reason: string): ClusterError {
  return new ClusterError('CREDENTIALS_FAILED', `no credentials for the cluster: ${reason}`, {
    suggestions: ['run the plugin that the kubeconfig names by hand, or log in again'],
  });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
