import { quantizationLabel } from '../../gguf/names/file-name.js';
import { nearest } from '../../nearest.js';
import { shown } from '../../printable.js';
import { getJson } from '../http/get-json.js';
import type { Session } from '../session.js';
import { SourceError } from '../source-error.js';
import type { HubFile } from './hub-files.js';
import { listRepository } from './hub-listing.js';
import type { HubSource } from './hub-urls.js';

/** Files that are named where none has a quantization. */
const MOST_NAMED = 8;
/** Of an owner. */
const MOST_LISTED = 1000;

/** Says what there is instead: quantizations that the names tell, or else the files themselves. */
export function noSuchQuantization({ repository, quantization }: HubSource, files: readonly HubFile[]): SourceError {
  const models = files.filter(({ kind }) => kind === 'model');
  const named = [...new Set(models.flatMap(({ path }) => quantizationLabel(path)?.name ?? []))];
  const asked = quantization === undefined ? 'such model' : shown(quantization);
  if (models.length === 0) {
    const problem = `${repository} has no GGUF file of a model; look for a repository whose name ends in -GGUF`;
    return new SourceError('SOURCE_NO_SUCH_QUANTIZATION', problem);
  }
  const there = named.length > 0 ? named : models.slice(0, MOST_NAMED).map(({ path }) => path);
  const likely = models.find(
    ({ path }) => quantization !== undefined && path.toUpperCase().includes(quantization.toUpperCase()),
  );
  const meant = nearest(quantization ?? '', named).map((name) => `hf:${repository}:${shown(name)}`);
  const asFile = likely === undefined ? [] : [`hf:${repository}/${shown(likely.path)} names a file that may be meant`];
  const suggestions = likely === undefined && meant.length > 0 ? [didYouMean(meant)] : asFile;
  const problem = `${repository} has no ${asked}; it has ${there.map(shown).join(', ')}`;
  return new SourceError('SOURCE_NO_SUCH_QUANTIZATION', problem, { suggestions });
}

/** What is not there, with what its owner has that is called nearly the same, where that can be asked. */
export async function withNearest(error: SourceError, source: HubSource, session: Session): Promise<SourceError> {
  const names = await namesLike(source, session).catch(() => []);
  if (names.length === 0) return error;
  return new SourceError(error.code, error.message, { ...error.options, suggestions: [didYouMean(names.map(shown))] });
}

async function namesLike({ repository, revision, file }: HubSource, session: Session): Promise<readonly string[]> {
  const policy = { ...session.policy, attempts: 1 };
  if (file !== undefined) {
    const { files } = await listRepository(session.hub, repository, revision, session.context, policy);
    const paths = files.map(({ path }) => path).filter((path) => path !== file);
    return nearest(file, paths).map((path) => `hf:${repository}/${path}`);
  }
  const { endpoint, credential } = session.hub;
  const [owner = ''] = repository.split('/');
  const url = new URL(
    `${endpoint}/api/models?${new URLSearchParams({ author: owner, filter: 'gguf', limit: String(MOST_LISTED) })}`,
  );
  const request = { url, credential, repository, what: "the list of its owner's models", check: 'HF_ENDPOINT' };
  const listed = await getJson(request, session.context, policy);
  const ids = Array.isArray(listed) ? listed.flatMap(idOf).filter((id) => id !== repository) : [];
  return nearest(repository, ids).map((id) => `hf:${id}`);
}

function idOf(entry: unknown): string[] {
  const { id } = (entry ?? {}) as { id?: unknown };
  return typeof id === 'string' ? [id] : [];
}

function didYouMean(names: readonly string[]): string {
  return `did you mean ${names.join(' or ')}?`;
}
