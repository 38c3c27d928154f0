import type { CatalogEntry } from '../../catalog/catalog.js';
import { CheckIncompleteError, LlmkubeError } from '../../errors.js';
import type { GgufHeader } from '../../gguf/header.js';
import { describeShape } from '../../model/describe-shape.js';
import { shown } from '../../printable.js';
import { kindName, type ProjectorShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { PROJECTOR } from '../../source/bundled-header.js';
import type { ModelHeader } from '../../source/model-header.js';
import type { ProjectorFile } from '../../source/hub/projector-file.js';
import { redactedSource } from '../../source/redacted-url.js';
import type { ResolvedModel } from '../resolve-model.js';

/** Why a projector is loaded: it was named, the catalogue names it, or `llama-server -hf` takes the one beside the model. */
export type ProjectorReason = 'named' | 'catalog' | 'beside';

/** The projector of a launch. */
export interface LoadedProjector {
  readonly source: string;
  readonly reason: ProjectorReason;
  readonly shape: ProjectorShape;
}

export interface ProjectorReading {
  readonly readHeader: (model: ResolvedModel) => Promise<ModelHeader>;
  /** The projector that llama-server finds beside a model of the hub. */
  readonly findProjector?: ((source: string) => Promise<ProjectorFile | undefined>) | undefined;
}

/** What was found, or a sentence on what could not be found out. */
interface FoundProjector {
  readonly projector?: LoadedProjector;
  readonly note?: string;
}

/**
 * The projector that llama-server loads with a model, its header read.
 * @throws CheckIncompleteError when the header cannot be read, or is not a projector's
 */
export async function findProjector(
  resolved: ResolvedModel,
  launch: LaunchOptions,
  reading: ProjectorReading,
): Promise<FoundProjector> {
  if (launch.mmproj !== undefined) return { projector: await read(launch.mmproj, 'named', reading) };
  if (launch.mmprojAuto === false) return {};
  if (resolved.entry?.mmproj !== undefined) {
    return { projector: await read(resolved.entry.mmproj, 'catalog', reading, resolved.entry) };
  }
  if (resolved.entry !== undefined || !resolved.source.startsWith('hf:')) return {};
  const beside = await listed(resolved.source, reading);
  if (typeof beside === 'string') return { note: beside };
  return beside === undefined ? {} : { projector: await read(beside.source, 'beside', reading) };
}

async function listed(
  source: string,
  { findProjector: find }: ProjectorReading,
): Promise<ProjectorFile | string | undefined> {
  try {
    return await find?.(source);
  } catch (error) {
    if (!(error instanceof LlmkubeError)) throw error;
    return 'whether its repository has a projector, which llama-server -hf would load too, could not be asked: name it with --mmproj, or say --no-mmproj';
  }
}

async function read(
  source: string,
  reason: ProjectorReason,
  { readHeader }: ProjectorReading,
  entry?: CatalogEntry,
): Promise<LoadedProjector> {
  const { header } = await readHeader({ entry, source, quantization: entry && PROJECTOR });
  const shape = described(source, header);
  if (shape.kind === 'projector') return { source, reason, shape };
  throw new CheckIncompleteError(
    'PROJECTOR_EXPECTED',
    `the file that --mmproj names is ${kindName(shape)}, which llama-server does not load as a projector; name one whose architecture is clip`,
  );
}

/** @throws CheckIncompleteError that names the projector, for what is wrong is not the model */
function described(source: string, header: GgufHeader): ReturnType<typeof describeShape> {
  try {
    return describeShape(header);
  } catch (error) {
    if (!(error instanceof CheckIncompleteError)) throw error;
    throw new CheckIncompleteError(error.code, `the projector ${shown(redactedSource(source))}: ${error.message}`, {
      suggestions: ['fetch the projector again, name another with --mmproj, or say --no-mmproj'],
      cause: error,
    });
  }
}
