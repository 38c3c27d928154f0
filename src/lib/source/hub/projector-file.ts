import { quantizationInName } from '../../gguf/names/file-name.js';
import { formatModelSource, parseModelSource } from '../model-source.js';
import { listGgufFiles } from '../open.js';
import type { ReadOptions } from '../session.js';
import { chooseModel, type HubFile } from './hub-files.js';

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

/**
 * `find_best_sibling` for "mmproj" (`common/download.cpp`, llama.cpp v0.5.0): in the model's folder or one above it, the
 * deepest first, then the one whose bits are nearest the model's, then the first listed.
 */
export function chooseProjector(files: readonly HubFile[], model: string): HubFile | undefined {
  const folders = model.split('/').slice(0, -1);
  const bits = bitsOf(model);
  const ranked = files
    .filter(({ kind }) => kind === 'mmproj')
    .map((file) => ({ file, own: file.path.split('/').slice(0, -1), distance: Math.abs(bitsOf(file.path) - bits) }))
    .filter(({ own }) => own.every((folder, i) => folder === folders[i]));
  return ranked.sort((a, b) => b.own.length - a.own.length || a.distance - b.distance)[0]?.file;
}

/** `extract_quant_bits`: the first number of the quantization in a file's name; 0 where it names none. */
function bitsOf(path: string): number {
  return Number(/\d+/.exec(quantizationInName(path)?.name ?? '')?.[0] ?? 0);
}
