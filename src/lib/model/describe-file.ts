import { CheckIncompleteError } from '../errors.js';
import type { GgufHeader } from '../gguf/header.js';
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
    parameterCount: header.tensors.reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * b, 1), 0),
    keys,
    tensors: new Map(header.tensors.map((tensor) => [tensor.name, tensor])),
    files: header.files,
    fileBytes: fileBytes(header),
  };
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
