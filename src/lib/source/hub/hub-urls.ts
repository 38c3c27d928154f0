import { UsageError } from '../../errors.js';
import type { Environment } from '../http/proxies.js';

/** A file in a Hugging Face repository, or the choice of one. */
export interface HubSource {
  readonly kind: 'hf';
  /** `owner/name`. */
  readonly repository: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** Path in the repository; without one, `quantization` chooses, or llama.cpp's preference. */
  readonly file?: string;
  readonly quantization?: string;
}

const DEFAULT_ENDPOINT = new URL('https://huggingface.co');

/** A credential and the only origin that may see it. */
export interface Credential {
  readonly origin: string;
  /** Value of the `Authorization` header. */
  readonly authorization: string;
}

/** The Hugging Face hub, or a mirror of it. */
export interface Hub {
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly credential: Credential | undefined;
}

/** The hub that the environment names: `HF_ENDPOINT` and `HF_TOKEN`. @throws UsageError for values that cannot be */
export function hubFrom({ HF_ENDPOINT: named, HF_TOKEN: secret }: Environment): Hub {
  const text = named?.trim();
  const url = text ? (URL.canParse(text) ? new URL(text) : undefined) : DEFAULT_ENDPOINT;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UsageError('BAD_HF_ENDPOINT', 'HF_ENDPOINT is not an address; write it as https://host');
  }
  const token = secret?.trim() ?? '';
  if (!/^[\x21-\x7e]*$/.test(token)) {
    throw new UsageError('BAD_HF_TOKEN', 'HF_TOKEN holds characters that no token has; copy it again');
  }
  const credential = token === '' ? undefined : { origin: url.origin, authorization: `Bearer ${token}` };
  return { endpoint: url.origin + url.pathname.replace(/\/+$/, ''), credential };
}

/** Where the hub serves a file of a repository at a revision. */
export function resolveUrl(hub: Hub, repository: string, revision: string, file: string): URL {
  const path = file.split('/').map(encodeURIComponent).join('/');
  return new URL(`${hub.endpoint}/${repository}/resolve/${encodeURIComponent(revision)}/${path}`);
}

/** A full commit names one version of a repository for ever. */
export function isCommit(revision: string | undefined): revision is string {
  return /^[0-9a-f]{40}$/.test(revision ?? '');
}

/**
 * A web address of a repository or of a file in it (`/blob/` pages count as the file they show) as a source; undefined
 * for any other page.
 */
export function parseHubUrl(url: URL, basePath = ''): HubSource | undefined {
  if (!url.pathname.startsWith(`${basePath}/`)) return undefined;
  const segments = url.pathname.slice(basePath.length + 1).split('/');
  const [owner, name, view, revision, ...file] = segments.map(percentDecoded);
  if (!owner || !name || ['api', 'datasets', 'spaces', 'docs', 'models'].includes(owner)) return undefined;
  const repository = `${owner}/${name}`;
  const shownFile = url.searchParams.get('show_file_info') ?? '';
  if (isModelPath(shownFile) && (view === undefined || view === '' || view === 'tree')) {
    return { kind: 'hf', repository, revision: (view === 'tree' && revision) || 'main', file: shownFile };
  }
  if (view === undefined || view === '') return { kind: 'hf', repository, revision: 'main' };
  if (!revision) return undefined;
  if (view === 'tree' && file.length === 0) return { kind: 'hf', repository, revision };
  const isFile = ['resolve', 'blob', 'raw'].includes(view) && file.length > 0 && !file.includes('');
  return isFile ? { kind: 'hf', repository, revision, file: file.join('/') } : undefined;
}

/** A path of a model file that stays within its repository. */
function isModelPath(path: string): boolean {
  return /\.gguf$/i.test(path) && !path.split('/').some((part) => /^\.*$/.test(part));
}

/** A piece of an address without its percent signs; as it is when they are senseless. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
