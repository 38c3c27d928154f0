import { CheckIncompleteError } from '../../errors.js';
import { describeShape } from '../../model/describe-shape.js';
import { type AdapterShape, isControlVector, kindName, type ModelShape, type Shape } from '../../model/model-shape.js';
import { looksLikeSource } from '../../source/model-source.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import type { ProjectorReading } from './beside.js';
import { type DraftListing, type DraftReason, findDraft } from './find-draft.js';
import type { ResolvedModel } from '../resolve-model.js';

/** A draft or an adapter of a launch. */
export interface LoadedFile<S extends Shape> {
  readonly source: string;
  /** The file that was chosen, where `source` is a whole repository. */
  readonly file?: string | undefined;
  readonly shape: S;
}

/** The draft of a launch. */
export interface LoadedDraft extends LoadedFile<ModelShape> {
  readonly reason: DraftReason;
}

/** What a launch loads beside model and projector. */
export interface NamedFiles {
  readonly draft?: LoadedDraft;
  readonly adapters: readonly LoadedFile<AdapterShape>[];
}

/** The files of a launch, and what finding them says of it. */
interface ReadFiles extends NamedFiles {
  /** How llama-server drafts, where a file's name decides it. */
  readonly specTypes?: readonly string[];
  readonly note?: string;
}

type Reading = Pick<ProjectorReading, 'readHeader'> & DraftListing;

/**
 * The headers of the draft (`--spec-draft-model`, `--spec-draft-hf`, or found beside the model) and the adapters (`--lora`, `--control-vector`) of a launch.
 * @throws CheckIncompleteError when one cannot be read, or is not what its option names
 */
export async function readNamedFiles(
  resolved: ResolvedModel,
  launch: LaunchOptions,
  reading: Reading,
): Promise<ReadFiles> {
  const readFile = async (source: string) => {
    try {
      const { header, file } = await reading.readHeader({ entry: undefined, source, quantization: undefined });
      return { shape: describeShape(header), file: file?.path };
    } catch (error) {
      throw error instanceof CheckIncompleteError ? asPath(source, error) : error;
    }
  };
  const read = async (source: string): Promise<Shape> => (await readFile(source)).shape;
  const loaded: LoadedFile<AdapterShape>[] = [];
  for (const source of launch.adapters ?? []) {
    const shape = await read(source);
    if (shape.kind !== 'adapter' || isControlVector(shape)) throw unexpected('ADAPTER_EXPECTED', shape, 'an adapter');
    loaded.push({ source, shape });
  }
  for (const source of launch.controlVectors ?? []) {
    const shape = await read(source);
    if (!isControlVector(shape)) throw unexpected('ADAPTER_EXPECTED', shape, 'a control vector');
    loaded.push({ source, shape });
  }
  const { draft, note } = await findDraft(resolved, launch, reading);
  if (draft === undefined) return { adapters: loaded, ...(note !== undefined && { note }) };
  const { specTypes, ...found } = draft;
  const { shape, file } = await readFile(found.source);
  if (shape.kind !== 'model') throw unexpected('DRAFT_EXPECTED', shape, 'a draft model');
  return { draft: { ...found, file, shape }, adapters: loaded, ...(specTypes && { specTypes }) };
}

/** Only the model itself is looked for in the catalogue. */
function asPath(source: string, error: CheckIncompleteError): CheckIncompleteError {
  if (error.code !== 'SOURCE_FILE_UNREADABLE' || looksLikeSource(source)) return error;
  const { suggestions = [] } = error.options;
  const advice = 'no id of the catalogue stands here: give its path, a URL or hf:OWNER/REPO/FILE.gguf';
  return new CheckIncompleteError(error.code, error.message, { cause: error, suggestions: [...suggestions, advice] });
}

function unexpected(code: string, shape: Shape, wanted: string): CheckIncompleteError {
  return new CheckIncompleteError(
    code,
    `the file that was named as ${wanted} is ${kindName(shape)}, which llama-server does not load as one; name another file`,
  );
}
