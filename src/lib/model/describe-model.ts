import { CheckIncompleteError } from '../errors.js';
import type { GgufHeader, GgufTensor } from '../gguf/header.js';
import { ARCHITECTURE_RULES } from './architectures.js';
import { readHparams } from './hparams.js';
import { describeFile } from './describe-file.js';
import type { Keys } from './keys.js';
import { checkKeyTypes, withoutUnread } from './loading/keys-read.js';
import { requireLoadable } from './loading/loadable.js';
import { hasNoWords } from './loading/vocabulary.js';
import { unknownArchitecture } from './loading/known-architectures.js';
import type { ModelShape } from './model-shape.js';

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
  const described = describeFile(header);
  const { architecture } = described;
  const keys = withoutUnread(described.keys);
  const file = { ...described, keys };
  const refusal = unknownArchitecture(architecture);
  if (refusal) {
    throw new CheckIncompleteError(
      'MODEL_ARCHITECTURE_UNKNOWN',
      `llama.cpp refuses to load this file: ${refusal}; use a file that llama.cpp's own tools converted.`,
    );
  }
  if (!keys.has('block_count')) {
    const option = optionFor(header);
    throw new CheckIncompleteError(
      'MODEL_NOT_A_LANGUAGE_MODEL',
      `A GGUF file of architecture ${JSON.stringify(architecture)} without a block count is not a language model llama-server can load by itself; name the model file${option === undefined ? ', not its projector or vocabulary' : `, and this one with ${option}`}.`,
    );
  }
  checkKeyTypes(file);
  const hparams = readHparams(keys, vocabularySize(keys, header.tensors));
  const rule = ARCHITECTURE_RULES[architecture];
  rule?.adjust?.(hparams, keys, file.tensors);
  const dimsOf = rule?.loadedDims;
  const tensors = dimsOf ? reshaped(file.tensors, (name) => dimsOf(name, hparams, keys)) : file.tensors;
  return { kind: 'model', ...file, tensors, hparams };
}

/** What names a file that is loaded beside a model. */
function optionFor({ metadata }: GgufHeader): string | undefined {
  if (metadata.get('general.architecture') === 'clip') return '--mmproj';
  if (metadata.get('general.architecture') === 'controlvector') return '--control-vector';
  return metadata.get('general.type') === 'adapter' ? '--lora' : undefined;
}

/** Tensors with the shapes that they are loaded with; one that holds another number of elements is left as it is, to be refused. */
function reshaped(
  tensors: ModelShape['tensors'],
  dimsOf: (name: string) => readonly number[] | undefined,
): ModelShape['tensors'] {
  const count = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);
  return new Map(
    [...tensors].map(([name, tensor]) => {
      const dims = dimsOf(name);
      return [name, dims && count(dims) === count(tensor.dims) ? { ...tensor, dims } : tensor];
    }),
  );
}

/** `llama_vocab::n_tokens`: the vocabulary's length, or the stated size where there is none; a profile may lack both. */
function vocabularySize(keys: Keys, tensors: readonly GgufTensor[]): number {
  const tokens = keys.arrayLength('tokenizer.ggml.tokens');
  if (tokens !== undefined && !hasNoWords(keys)) return tokens;
  if (keys.has('tokenizer.ggml.model')) return keys.number('vocab_size', 0);
  const embedding = tensors.find(({ name }) => name === 'token_embd.weight');
  return keys.number('vocab_size', embedding?.dims[1] ?? 0);
}
