import { UsageError } from '../../errors.js';
import { shown } from '../../printable.js';

/** A model by its name in Ollama: of the registry that the name is for, and what Ollama keeps on this machine. */
export interface OllamaSource {
  readonly kind: 'ollama';
  readonly protocol: 'https' | 'http';
  readonly host: string;
  readonly namespace: string;
  readonly model: string;
  readonly tag: string;
}

/** A model by its name in LM Studio: `PUBLISHER/REPO`, the name of its folder, or its file. */
export interface LmStudioSource {
  readonly kind: 'lmstudio';
  readonly name: string;
  readonly quantization?: string;
}

/** A file of a repository of ModelScope, or the choice of one. */
export interface ModelScopeSource {
  readonly kind: 'modelscope';
  readonly repository: string;
  readonly file?: string;
  readonly quantization?: string;
}

export type StoreSource = OllamaSource | LmStudioSource | ModelScopeSource;

const REGISTRY = 'registry.ollama.ai';
const NAMESPACE = 'library';
const TAG = 'latest';

/** One part of a name of Ollama, as `isValidPart` of its `types/model/name.go` has it. */
const PART = /^[A-Za-z0-9_][\w.-]{0,79}$/;
const HOST = /^[A-Za-z0-9_][\w.-]*(:\d{1,5})?$/;
const NAME = /^[A-Za-z0-9][\w.-]*$/;

/** What stands behind `ollama:`, `lmstudio:` and `ms:`. Throws `UsageError` for what no such store can have. */
export function parseStoreSource(scheme: 'ollama' | 'lmstudio' | 'ms', rest: string): StoreSource {
  switch (scheme) {
    case 'ollama':
      return ollamaSource(rest);
    case 'lmstudio':
      return lmStudioSource(rest.replace(/^\/\//, ''));
    case 'ms':
      return modelScopeSource(rest.replace(/^\/\//, ''));
  }
}

/** As it is typed, at its shortest. */
export function formatStoreSource(source: StoreSource): string {
  switch (source.kind) {
    case 'ollama': {
      const { protocol, host, namespace, model, tag } = source;
      const isDefault = host === REGISTRY && protocol === 'https';
      const place = isDefault ? '' : `${protocol === 'http' ? 'http://' : ''}${host}/`;
      const owner = isDefault && namespace === NAMESPACE ? '' : `${namespace}/`;
      return `ollama:${place}${owner}${model}${tag === TAG ? '' : `:${tag}`}`;
    }
    case 'lmstudio':
      return `lmstudio:${source.name}${source.quantization === undefined ? '' : `:${source.quantization}`}`;
    case 'modelscope': {
      const { repository, file, quantization } = source;
      return `ms:${repository}${file === undefined ? '' : `/${file}`}${quantization === undefined ? '' : `:${quantization}`}`;
    }
  }
}

/** `[http://][HOST/][NAMESPACE/]MODEL[:TAG]`, with Ollama's own defaults. */
function ollamaSource(rest: string): OllamaSource {
  const [, scheme, path = ''] = /^(?:(https?):)?(?:\/\/)?(.*)$/is.exec(rest) ?? [];
  const [, names = '', tag = TAG] = /^(.*?)(?::([^/:]*))?$/s.exec(path) ?? [];
  const parts = names.split('/');
  const model = parts.pop() ?? '';
  const namespace = parts.pop() ?? NAMESPACE;
  const host = (parts.pop() ?? REGISTRY).toLowerCase();
  const good = parts.length === 0 && HOST.test(host) && [namespace, model, tag].every((part) => PART.test(part));
  if (!good) throw bad(`ollama:${rest}`, 'a model of Ollama', 'ollama:NAME or ollama:NAME:TAG, as in ollama list');
  const protocol = scheme?.toLowerCase() === 'http' ? 'http' : 'https';
  return { kind: 'ollama', protocol, host: host === 'ollama.com' ? REGISTRY : host, namespace, model, tag };
}

/** `NAME[:QUANT]`, or `NAME@QUANT` as LM Studio's own commands have it. */
function lmStudioSource(rest: string): LmStudioSource {
  const [, name = '', quantization] = /^([^:@]*)(?:[:@]([\w.-]+))?$/.exec(rest) ?? [];
  const parts = name.split('/');
  const isFile = /\.gguf$/i.test(name);
  if (parts.some((part) => /^\.*$/.test(part)) || (isFile && quantization !== undefined)) {
    throw bad(`lmstudio:${rest}`, 'a model of LM Studio', 'lmstudio:PUBLISHER/MODEL[:QUANT] or lmstudio:MODEL[:QUANT]');
  }
  return {
    kind: 'lmstudio',
    name,
    ...(quantization === undefined ? {} : { quantization: quantization.toUpperCase() }),
  };
}

function modelScopeSource(rest: string): ModelScopeSource {
  const [, path = '', quantization] = /^([^:]*)(?::([\w.-]+))?$/.exec(rest) ?? [];
  const [owner = '', name = '', ...folders] = path.split('/');
  const file = folders.join('/');
  const isFile = /\.gguf$/i.test(file) && !folders.some((part) => /^\.*$/.test(part)) && quantization === undefined;
  if (!NAME.test(owner) || !NAME.test(name) || (folders.length > 0 && !isFile)) {
    throw bad(`ms:${rest}`, 'a model on ModelScope', 'ms:OWNER/REPO, ms:OWNER/REPO:QUANT or ms:OWNER/REPO/FILE.gguf');
  }
  const repository = `${owner}/${name}`;
  if (file !== '') return { kind: 'modelscope', repository, file };
  return { kind: 'modelscope', repository, ...(quantization === undefined ? {} : { quantization }) };
}

function bad(text: string, what: string, forms: string): UsageError {
  return new UsageError('BAD_SOURCE', `${shown(text)} is not ${what}; write ${forms}`);
}
