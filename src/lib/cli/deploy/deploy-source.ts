import { posix, resolve } from 'node:path';
import { UsageError } from '../../errors.js';
import { parseShardName, shardPaths } from '../../gguf/names/shard-name.js';
import { shown } from '../../printable.js';
import { chooseModel } from '../../source/hub/hub-files.js';
import { hubFrom, resolveUrl, type HubSource } from '../../source/hub/hub-urls.js';
import { type ModelSource, parseModelSource } from '../../source/model-source.js';
import { listGgufFiles } from '../../source/open.js';
import type { ReadOptions } from '../../source/session.js';

/** A source as the operator reads it; `files` when it is a repository. */
export interface DeploySource {
  readonly source: string;
  readonly files?: readonly string[];
  /** A projector among the files of `source`. */
  readonly mmproj?: string;
  /** A draft among `files`. */
  readonly draftModel?: string;
}

type ReachableSource = Exclude<ModelSource, { kind: 'ollama' | 'lmstudio' | 'modelscope' }>;

/** What is staged with a model, each as a source. */
export interface StagedFiles {
  readonly mmproj?: string | undefined;
  readonly draft?: string | undefined;
}

/** Sources that are deployed to the letter: what is written is also the key of the operator's cache. */
const AS_WRITTEN = /^(https?:\/\/(?!.*\/(?:blob|raw|tree)\/)|file:\/\/\/|\/(?!.*\s)).*\.gguf(\?.*)?$/i;

/**
 * What a person may write as a source (`hf:OWNER/REPO:QUANT`, a relative path) in the words of the LLMKube API. Runtimes
 * other than llama-server take a repository as it is: they find its files themselves.
 * @throws UsageError for a split model at an address that has no way to name all its parts
 */
export async function deploySource(text: string, options: ReadOptions, runtime: string): Promise<DeploySource> {
  const source = requireReachable(text);
  if (runtime !== 'llamacpp' && source.kind === 'hf' && source.file === undefined) {
    return { source: `hf://${source.repository}` };
  }
  if (AS_WRITTEN.test(text) && !isSplit(text)) return { source: text };
  return source.kind === 'hf' ? hubDeploySource(source, options) : { source: deployedPlace(source) };
}

/**
 * Where a model lies, as the API takes it; of a repository which file is meant may not be known yet.
 * @throws UsageError BAD_SOURCE
 */
export function deployedPlace(source: ReachableSource): string {
  switch (source.kind) {
    case 'file':
      return pathSource(resolve(source.path));
    case 'hf':
      return `hf://${source.repository}`;
    case 'http':
      return source.url;
    case 'unsupported':
      return source.text;
  }
}

/**
 * The API takes no blank in an absolute path, but behind `file://`, which the operator takes off to the letter.
 * @throws UsageError BAD_SOURCE for what would mean another path where it is read as an address
 */
function pathSource(path: string): string {
  if (!/\s/.test(path)) return path;
  // eslint-disable-next-line no-control-regex -- what ends a line, or means something in an address
  if (!/[\x00-\x1f\x7f%#?\\]/.test(path)) return `file://${path}`;
  throw new UsageError(
    'BAD_SOURCE',
    `${shown(path)} has a blank and other characters that the LLMKube API does not take together in a path`,
    {
      suggestions: ['rename the file or its folder'],
    },
  );
}

/**
 * A source that means the same to a cluster as to this machine.
 * @throws UsageError BAD_SOURCE
 */
export function requireReachable(text: string): ReachableSource {
  refuseLogin(text);
  const source = parseModelSource(text);
  switch (source.kind) {
    case 'ollama':
    case 'lmstudio':
    case 'modelscope':
      throw new UsageError(
        'BAD_SOURCE',
        `${shown(text)} is a name that only this machine understands; the cluster needs the file's path, its http(s) address or hf:OWNER/REPO`,
        { suggestions: [`llmkube inspect ${shown(text)} shows which file is meant`] },
      );
    case 'http':
      requireOnePart(source.url);
      return source;
    default:
      return source;
  }
}

/**
 * What is staged lies in the model's repository.
 * @throws UsageError PROJECTOR_ELSEWHERE, DRAFT_ELSEWHERE
 */
export function refuseElsewhere(model: ModelSource, { mmproj, draft }: StagedFiles): void {
  if (mmproj !== undefined) fileBeside(model, mmproj, 'projector');
  if (draft !== undefined) fileBeside(model, draft, 'draft');
}

/**
 * A model, its projector and its draft, which the operator stages from the same repository. An agent on a Mac is given the
 * model by its address, and finds the projector beside it.
 * @throws UsageError PROJECTOR_ELSEWHERE, DRAFT_ELSEWHERE
 */
export async function deploySourceWithFiles(
  text: string,
  { mmproj, draft }: StagedFiles,
  options: ReadOptions,
  runtime: string,
  isMac: boolean,
): Promise<DeploySource> {
  if (mmproj === undefined && draft === undefined) return deploySource(text, options, runtime);
  const model = parseModelSource(text);
  const projector = mmproj === undefined ? undefined : fileBeside(model, mmproj, 'projector');
  const drafting = draft === undefined ? undefined : fileBeside(model, draft, 'draft');
  if (model.kind !== 'hf') throw elsewhere('projector', text);
  const file = model.file ?? (await chosenFile(model, options));
  if (isMac) {
    const { source } = await hubDeploySource({ ...model, file }, options);
    return { source, ...(projector !== undefined && { mmproj: posix.relative(posix.dirname(file), projector) }) };
  }
  const shard = parseShardName(file);
  const files = shard !== undefined && isSplit(file) ? shardPaths(shard) : [file];
  return {
    source: `hf://${model.repository}`,
    files: [...files, ...(drafting === undefined ? [] : [drafting])],
    ...(projector !== undefined && { mmproj: projector }),
    ...(drafting !== undefined && { draftModel: drafting }),
  };
}

/** The path of a file in the repository of a model. */
function fileBeside(model: ModelSource, text: string, what: 'projector' | 'draft'): string {
  const other = parseModelSource(text);
  const isBeside =
    model.kind === 'hf' &&
    other.kind === 'hf' &&
    model.repository === other.repository &&
    [model, other].every(({ revision }) => revision === 'main');
  if (isBeside && other.file !== undefined) return other.file;
  throw elsewhere(what, text);
}

function elsewhere(what: 'projector' | 'draft', text: string): UsageError {
  const without = what === 'projector' ? ', or say --no-mmproj' : '';
  return new UsageError(
    what === 'projector' ? 'PROJECTOR_ELSEWHERE' : 'DRAFT_ELSEWHERE',
    `LLMKube stages a ${what} from the model's own repository on Hugging Face, and ${shown(text)} is not in it; name one there as hf:OWNER/REPO/FILE.gguf${without}`,
  );
}

/** A manifest is read by everyone who may look at the cluster. */
function refuseLogin(text: string): void {
  if (!URL.canParse(text)) return;
  const { username, password } = new URL(text);
  if (username === '' && password === '') return;
  throw new UsageError(
    'BAD_SOURCE',
    `${shown(text)} holds a login, which would stand in the manifest for all to read`,
    {
      suggestions: ['serve the file without a login to the cluster, or name the secret that has it on the Model'],
    },
  );
}

/** One file by its address, a split one as the repository and its parts. */
async function hubDeploySource(source: HubSource, options: ReadOptions): Promise<DeploySource> {
  const { repository, revision } = source;
  const file = source.file ?? (await chosenFile(source, options));
  const shard = parseShardName(file);
  if (shard === undefined || !isSplit(file)) {
    return { source: resolveUrl(hubFrom(options.env ?? process.env), repository, revision, file).href };
  }
  if (revision !== 'main') {
    throw new UsageError(
      'BAD_SOURCE',
      `${file} is a part of a split model, which can be deployed from the branch main only`,
    );
  }
  return { source: `hf://${repository}`, files: shardPaths(shard) };
}

async function chosenFile({ repository, quantization }: HubSource, options: ReadOptions): Promise<string> {
  const { files } = await listGgufFiles(repository, options);
  const chosen = chooseModel(files, quantization);
  if (chosen !== undefined) return chosen.path;
  throw new UsageError('BAD_SOURCE', `${repository} has no such model; name its file as hf:${repository}/FILE.gguf`);
}

function requireOnePart(url: string): void {
  if (!isSplit(new URL(url).pathname)) return;
  throw new UsageError(
    'BAD_SOURCE',
    'a split model can be deployed from Hugging Face (hf:OWNER/REPO/FILE.gguf), s3:// or a path, not from another address',
    {
      suggestions: ['join the parts with: llama-gguf-split --merge'],
    },
  );
}

function isSplit(path: string): boolean {
  return (parseShardName(path.replace(/\?.*$/, ''))?.count ?? 1) > 1;
}
