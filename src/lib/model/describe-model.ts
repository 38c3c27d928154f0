import { CheckIncompleteError } from '../errors.js';
import type { GgufHeader, GgufTensor } from '../gguf/header.js';
import { ARCHITECTURE_RULES } from './architectures.js';
import { readHparams } from './hparams.js';
import { Keys } from './keys.js';
import { requireLoadable } from './loadable.js';
import { unknownArchitecture } from './known-architectures.js';
import type { ModelShape } from './model-shape.js';
import { quantizationOf } from './quantization.js';

/**
 * What a header means, held against itself.
 * @throws CheckIncompleteError when llama.cpp would not load the file, or it is not a language model's
 */
export function describeModel(header: GgufHeader): ModelShape {
  const shape = describeHeader(header);
  requireLoadable(shape, header.byteOrder);
  return shape;
}

/**
 * What a header means, of a file that was found loadable before, or is only looked at.
 * @throws CheckIncompleteError when it lacks what llama.cpp needs to load the model, or is not a language model's, or of an
 * architecture that llama.cpp does not know
 */
export function describeHeader(header: GgufHeader): ModelShape {
  const architecture = header.metadata.get('general.architecture');
  if (typeof architecture !== 'string' || architecture === '') {
    throw new CheckIncompleteError(
      'MODEL_ARCHITECTURE_MISSING',
      'The header does not name its architecture (general.architecture), so the model cannot be sized; use a complete GGUF file.',
    );
  }
  const refusal = unknownArchitecture(architecture);
  if (refusal) {
    throw new CheckIncompleteError(
      'MODEL_ARCHITECTURE_UNKNOWN',
      `llama.cpp refuses to load this file: ${refusal}; use a file that llama.cpp's own tools converted.`,
    );
  }
  const keys = new Keys(header.metadata, architecture);
  if (!keys.has('block_count')) {
    throw new CheckIncompleteError(
      'MODEL_NOT_A_LANGUAGE_MODEL',
      `A GGUF file of architecture ${JSON.stringify(architecture)} without a block count is not a language model llama-server can load by itself; name the model file, not its projector or vocabulary.`,
    );
  }
  const hparams = readHparams(keys, vocabularySize(keys, header.tensors));
  ARCHITECTURE_RULES[architecture]?.adjust?.(hparams, keys);
  return {
    architecture,
    name: keys.text('general.name'),
    quantization: quantizationOf(keys, header.tensors),
    parameterCount: header.tensors.reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * b, 1), 0),
    keys,
    hparams,
    tensors: new Map(header.tensors.map((tensor) => [tensor.name, tensor])),
    files: header.files,
    fileBytes: fileBytes(header),
  };
}

/** `llama_vocab::n_tokens`: the vocabulary's length, or the stated size where there is none. */
function vocabularySize(keys: Keys, tensors: readonly GgufTensor[]): number {
  const tokens = keys.arrayLength('tokenizer.ggml.tokens');
  if (tokens !== undefined) return tokens;
  const embedding = tensors.find(({ name }) => name === 'token_embd.weight');
  return keys.number('vocab_size', embedding?.dims[1] ?? 0);
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
