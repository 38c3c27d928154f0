import { CheckIncompleteError } from '../errors.js';
import { describeShape } from '../model/describe-shape.js';
import type { AdapterShape, ModelShape, Shape } from '../model/model-shape.js';
import type { LaunchOptions } from '../runtime/launch-options.js';
import type { ProjectorReading } from './beside.js';

/** A draft or an adapter of a launch. */
export interface LoadedFile<S extends Shape> {
  readonly source: string;
  readonly shape: S;
}

/** What a launch names beside model and projector. */
export interface NamedFiles {
  readonly draft?: LoadedFile<ModelShape>;
  readonly adapters: readonly LoadedFile<AdapterShape>[];
}

type Reading = Pick<ProjectorReading, 'readHeader'>;

/**
 * The headers of the draft (`--spec-draft-model`, `--spec-draft-hf`) and the adapters (`--lora`, `--control-vector`) of a launch.
 * @throws CheckIncompleteError when one cannot be read, or is not what its option names
 */
export async function readNamedFiles({ draft, adapters = [] }: LaunchOptions, reading: Reading): Promise<NamedFiles> {
  const read = async (source: string): Promise<Shape> => {
    const { header } = await reading.readHeader({ entry: undefined, source, quantization: undefined });
    return describeShape(header);
  };
  const loaded: LoadedFile<AdapterShape>[] = [];
  for (const source of adapters) {
    const shape = await read(source);
    if (shape.kind !== 'adapter') throw unexpected('ADAPTER_EXPECTED', shape, 'an adapter or a control vector');
    loaded.push({ source, shape });
  }
  if (draft === undefined) return { adapters: loaded };
  const shape = await read(draft);
  if (shape.kind !== 'model') throw unexpected('DRAFT_EXPECTED', shape, 'a draft model');
  return { draft: { source: draft, shape }, adapters: loaded };
}

function unexpected(code: string, { kind }: Shape, wanted: string): CheckIncompleteError {
  return new CheckIncompleteError(
    code,
    `the file that was named as ${wanted} is ${kind === 'adapter' ? 'an' : 'a'} ${kind}, which llama-server does not load as one; name another file`,
  );
}
