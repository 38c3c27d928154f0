import { fileURLToPath } from 'node:url';
import { UsageError } from '../errors.js';
import { printable, shown } from '../printable.js';
import { type HubSource, parseHubUrl } from './hub/hub-urls.js';
import { formatStoreSource, parseStoreSource, type StoreSource } from './stores/store-source.js';

/** Where a model's header can be read, by what the user typed. */
export type ModelSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'http'; readonly url: string }
  | HubSource
  | StoreSource
  /** Storage that only the cluster can read. */
  | { readonly kind: 'unsupported'; readonly scheme: 'pvc' | 's3'; readonly text: string };

/** The host whose `resolve` and `blob` addresses are files of repositories, whatever endpoint serves them. */
const HUB_HOSTS: ReadonlySet<string> = new Set(['huggingface.co', 'www.huggingface.co', 'hf.co']);

const REPOSITORY = /^[A-Za-z0-9][A-Za-z0-9._-]*\/[A-Za-z0-9][A-Za-z0-9._-]*$/;
/** Names of users and repositories have at most 96 characters each on the hub. */
const LONGEST_REFERENCE = 1024;
/** `NAME:TAG` without a host or a folder. */
const OLLAMA_NAME = /^[a-z0-9][a-z0-9._-]{0,79}:[a-z0-9][\w.-]{0,79}$/i;
const WEB_ADDRESS = /^https?:\/\//i;
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/;

/**
 * Reads a source as people write it: a path, `file://`, `http(s)://`, `hf:OWNER/REPO[:QUANT]`,
 * `hf:OWNER/REPO/FILE.gguf`, what is copied from the hub's pages, `ollama:NAME[:TAG]`, `lmstudio:NAME`, `ms:OWNER/REPO`, `pvc://`, `s3://`. Opens nothing. Throws `UsageError` for what is none of these.
 */
export function parseModelSource(text: string): ModelSource {
  const trimmed = text.trim();
  if (trimmed === '')
    throw new UsageError('BAD_SOURCE', 'the model is empty; give a path, an address or hf:OWNER/REPO');
  const pasted = pastedReference(trimmed);
  if (pasted !== undefined) return pasted;
  const scheme = SCHEME.exec(trimmed)?.[1]?.toLowerCase();
  // One letter is a drive of Windows.
  if (scheme === undefined || scheme.length === 1) return { kind: 'file', path: trimmed };
  switch (scheme) {
    case 'file':
      return { kind: 'file', path: localPath(trimmed) };
    case 'http':
    case 'https':
      return webSource(trimmed);
    case 'hf':
      return hubSource(trimmed.slice(3).replace(/^\/\//, ''), trimmed);
    case 'ollama':
    case 'lmstudio':
    case 'ms':
      return parseStoreSource(scheme, trimmed.slice(scheme.length + 1));
    case 'pvc':
    case 's3':
      return { kind: 'unsupported', scheme, text: trimmed };
    default:
      if (OLLAMA_NAME.test(trimmed)) {
        throw new UsageError('BAD_SOURCE', `${shown(trimmed)} is a name as Ollama writes them`, {
          suggestions: [
            `ollama:${trimmed} reads it from Ollama's store on this machine`,
            'llmkube catalog list shows the models that can be named by id, such as llama-3.1-8b',
          ],
        });
      }
      throw new UsageError(
        'BAD_SOURCE',
        `${shown(trimmed)} has the scheme ${printable(scheme)}:, which cannot be read; use a path, http(s)://, file://, hf:, ollama:, lmstudio: or ms:`,
        { suggestions: ['llmkube catalog list shows the models that can be named by id, such as llama-3.1-8b'] },
      );
  }
}

/** True for what cannot be a name from a catalogue: a path, an address, a file name. */
export function looksLikeSource(text: string): boolean {
  return SCHEME.test(text) || /[/\\]/.test(text) || /\.gguf$/i.test(text);
}

/** True for what is listed and read without a network. */
export function isOnThisMachine(source: string): boolean {
  const { kind } = parseModelSource(source);
  return kind === 'file' || kind === 'lmstudio';
}

/** The shortest way to write a source that `parseModelSource` reads as the same. */
export function formatModelSource(source: ModelSource): string {
  switch (source.kind) {
    case 'file':
      return source.path;
    case 'http':
      return source.url;
    case 'unsupported':
      return source.text;
    case 'ollama':
    case 'lmstudio':
    case 'modelscope':
      return formatStoreSource(source);
    case 'hf':
      if (source.revision !== 'main') {
        const page =
          source.file === undefined ? `tree/${source.revision}` : `resolve/${source.revision}/${source.file}`;
        return `https://huggingface.co/${source.repository}/${page}`;
      }
      if (source.file !== undefined) return `hf:${source.repository}/${source.file}`;
      return `hf:${source.repository}${source.quantization === undefined ? '' : `:${source.quantization}`}`;
  }
}

/** How pages and other programs write a repository: `hf.co/OWNER/REPO:QUANT`, `OWNER/REPO:QUANT`, `OWNER/REPO-GGUF`. */
function pastedReference(text: string): ModelSource | undefined {
  if (text.length > LONGEST_REFERENCE || WEB_ADDRESS.test(text)) return undefined;
  const [, host, rest = ''] = /^((?:www\.)?(?:hf\.co|huggingface\.co)\/)?(.*)$/is.exec(text) ?? [];
  const [, repository = '', quantization] = /^([^:?#]*?)\/?(?::([\w.-]+))?$/.exec(rest) ?? [];
  const isRepository = REPOSITORY.test(repository) && !/\.gguf$/i.test(repository);
  if (isRepository && (host !== undefined || quantization !== undefined || /-gguf$/i.test(repository))) {
    return { kind: 'hf', repository, revision: 'main', ...(quantization === undefined ? {} : { quantization }) };
  }
  return host === undefined ? undefined : webSource(`https://huggingface.co/${rest}`);
}

function localPath(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    const message = `${shown(url)} is not the address of a local file; write it as file:///path/model.gguf`;
    throw new UsageError('BAD_SOURCE', message, { cause });
  }
}

function webSource(text: string): ModelSource {
  const url = addressOf(text);
  const hub = HUB_HOSTS.has(url.hostname) ? parseHubUrl(url) : undefined;
  return hub ?? { kind: 'http', url: url.href };
}

function addressOf(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new UsageError('BAD_SOURCE', `${shown(text)} is not a valid address`);
  }
}

function hubSource(rest: string, text: string): HubSource {
  const [path = '', quantization, ...more] = rest.split(':');
  const [owner = '', name = '', ...folders] = path.split('/');
  const repository = `${owner}/${name}`;
  const file = folders.join('/');
  const good =
    REPOSITORY.test(repository) &&
    more.length === 0 &&
    (quantization === undefined || (/^[\w.-]+$/.test(quantization) && file === '')) &&
    (file === '' || (/\.gguf$/i.test(file) && !folders.some((folder) => folder === '' || /^\.+$/.test(folder))));
  if (!good) {
    throw new UsageError(
      'BAD_SOURCE',
      `${shown(text)} is not a model on Hugging Face; write hf:OWNER/REPO, hf:OWNER/REPO:QUANT or hf:OWNER/REPO/FILE.gguf`,
    );
  }
  const base = { kind: 'hf', repository, revision: 'main' } as const;
  if (file !== '') return { ...base, file };
  return quantization === undefined ? base : { ...base, quantization };
}
