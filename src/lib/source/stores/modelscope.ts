import { UsageError } from '../../errors.js';
import { printable, shown } from '../../printable.js';
import { chooseModel, type HubFile, modelFiles } from '../hub/hub-files.js';
import { hubEntry } from '../hub/hub-listing.js';
import { getJson } from '../http/get-json.js';
import type { Environment } from '../http/proxies.js';
import type { Session } from '../session.js';
import { SourceError } from '../source-error.js';
import type { FoundInStore } from './found-in-store.js';
import { formatStoreSource, type ModelScopeSource } from './store-source.js';

const DOMAIN = 'modelscope.cn';
/** The only branch that every repository there has. */
const BRANCH = 'master';
const MOST_NAMED = 8;

/**
 * The file of a repository of ModelScope that is meant, as `llama-server -hf` would choose it.
 * @throws SourceError when there is none
 */
export async function findInModelScope(source: ModelScopeSource, session: Session): Promise<FoundInStore> {
  const file = source.file ?? (await chosenFile(source, session));
  const path = file.split('/').map(encodeURIComponent).join('/');
  const url = `${modelScopeEndpoint(session.env)}/models/${source.repository}/resolve/${BRANCH}/${path}`;
  return {
    source: { kind: 'http', url },
    chosen: `${formatStoreSource(source)} is the file ${printable(file)} on ModelScope`,
    file,
  };
}

/** `MODELSCOPE_DOMAIN`, as ModelScope's own tools read it: a host, or an address. */
function modelScopeEndpoint(env: Environment): string {
  const domain = env.MODELSCOPE_DOMAIN?.trim() || DOMAIN;
  const text = /^https?:\/\//i.test(domain) ? domain : `https://${domain}`;
  if (URL.canParse(text)) return new URL(text).origin;
  throw new UsageError('BAD_SOURCE', `MODELSCOPE_DOMAIN is not a host; write it as ${DOMAIN}`);
}

/**
 * The model files of a repository of ModelScope.
 * @throws SourceError when it cannot be listed
 */
export async function listModelScope(source: ModelScopeSource, session: Session): Promise<readonly HubFile[]> {
  const { repository } = source;
  if (session.offline) {
    const message = `which files ${formatStoreSource(source)} has cannot be asked offline`;
    throw new SourceError(
      'SOURCE_OFFLINE',
      `${message}; name one as ms:OWNER/REPO/FILE.gguf, or run without --offline`,
    );
  }
  const url = new URL(
    `${modelScopeEndpoint(session.env)}/api/v1/models/${repository}/repo/files?Revision=${BRANCH}&Recursive=true`,
  );
  const request = { url, what: 'the list of files', check: 'MODELSCOPE_DOMAIN' };
  const { Data: data } = ((await getJson(request, session.context, session.policy)) ?? {}) as { Data?: unknown };
  const { Files: list } = (data ?? {}) as { Files?: unknown };
  if (!Array.isArray(list)) {
    throw new SourceError('SOURCE_NOT_FOUND', `ModelScope has no repository ${shown(repository)}; check its name`);
  }
  return modelFiles(list.flatMap(readEntry)).filter(({ kind }) => kind === 'model');
}

async function chosenFile(source: ModelScopeSource, session: Session): Promise<string> {
  const { repository, quantization } = source;
  const models = await listModelScope(source, session);
  const file = chooseModel(models, quantization);
  if (file !== undefined) return file.path;
  const there = models.map((model) => model.quantization ?? model.path);
  const problem =
    models.length === 0
      ? `${repository} has no GGUF file of a model on ModelScope; look for a repository whose name ends in -GGUF`
      : `${repository} has no ${shown(quantization ?? '')} on ModelScope; it has ${[...new Set(there)].slice(0, MOST_NAMED).map(shown).join(', ')}`;
  throw new SourceError('SOURCE_NO_SUCH_QUANTIZATION', problem);
}

function readEntry(entry: unknown): ReturnType<typeof hubEntry> {
  const { Path: path, Size: size, Type: type } = (entry ?? {}) as { Path?: unknown; Size?: unknown; Type?: unknown };
  return type === 'tree' ? [] : hubEntry(path, size);
}
