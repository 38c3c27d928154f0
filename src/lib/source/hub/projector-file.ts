import { formatModelSource, parseModelSource } from '../model-source.js';
import { listGgufFiles } from '../open.js';
import type { ReadOptions } from '../session.js';
import { chooseModel, type HubFile } from './hub-files.js';
import { chooseSibling } from './sibling-file.js';

/** A projector in the repository of a model. */
export interface ProjectorFile {
  /** As `parseModelSource` takes it. */
  readonly source: string;
  /** Undefined when the hub did not say. */
  readonly bytes: number | undefined;
}

/**
 * The projector that `llama-server -hf` loads with a model of the hub; undefined when the repository has none, or `text` is
 * no source on the hub.
 * @throws SourceError when the repository cannot be listed
 */
export async function projectorBeside(text: string, options: ReadOptions): Promise<ProjectorFile | undefined> {
  const source = parseModelSource(text);
  if (source.kind !== 'hf') return undefined;
  const { repository, revision } = source;
  const { files } = await listGgufFiles(repository, options);
  const model = source.file ?? chooseModel(files, source.quantization)?.path;
  const projector = model === undefined ? undefined : chooseProjector(files, model);
  if (projector === undefined) return undefined;
  const { path, bytes } = projector;
  return { source: formatModelSource({ kind: 'hf', repository, revision, file: path }), bytes };
}

/** The projector beside a model: `find_best_mmproj` (`common/download.cpp`, llama.cpp v0.5.0), which asks for no quantization. */
export function chooseProjector(files: readonly HubFile[], model: string): HubFile | undefined {
  return chooseSibling(
    files.filter(({ kind }) => kind === 'mmproj'),
    'mmproj',
    { model },
  );
}
