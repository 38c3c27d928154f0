import { CheckIncompleteError } from '../errors.js';
import type { GgufHeader, GgufTensor } from '../gguf/header.js';
import { Keys } from './keys.js';
import type { FileShape } from './model-shape.js';
import { quantizationOf } from './quantization/quantization.js';

/**
 * What every GGUF file says of itself.
 * @throws CheckIncompleteError when the header does not name an architecture.
 */
export function describeFile(header: GgufHeader): FileShape {
  const architecture = header.metadata.get('general.architecture');
  if (typeof architecture !== 'string' || architecture === '') {
    throw new CheckIncompleteError(
      'MODEL_ARCHITECTURE_MISSING',
      'The header does not name its architecture (general.architecture), so the model cannot be sized; use a complete GGUF file.',
    );
  }
  const keys = new Keys(header.metadata, architecture, header.types);
  return {
    architecture,
    name: keys.text('general.name'),
    quantization: quantizationOf(keys, header.tensors),
    parameterCount: parameterCountOf(header),
    keys,
    tensors: byName(header),
    files: header.files,
    fileBytes: fileBytes(header),
  };
}

/** How many numbers all tensors hold. */
export function parameterCountOf({ tensors }: GgufHeader): number {
  let sum = 0;
  for (const { dims } of tensors) {
    let product = 1;
    for (const dim of dims) product *= dim;
    sum += product;
  }
  return sum;
}

/** Without a pair for each beforehand: there may be 65,536. */
function byName({ tensors }: GgufHeader): ReadonlyMap<string, GgufTensor> {
  const named = new Map<string, GgufTensor>();
  for (const tensor of tensors) named.set(tensor.name, tensor);
  return named;
}

/** The header that a shape was described from. */
export function headerOf({ keys, tensors, files }: FileShape): GgufHeader {
  return { version: 3, byteOrder: 'little', metadata: keys.metadata, tensors: [...tensors.values()], files };
}

function fileBytes({ files, tensors }: GgufHeader): number {
  return files.reduce((sum, file, index) => {
    if (file.bytes !== undefined) return sum + file.bytes;
    return (
      sum +
      tensors
        .filter((tensor) => tensor.file === index)
        .reduce((end, tensor) => Math.max(end, tensor.offsetBytes + tensor.bytes), 0)
    );
  }, 0);
}
