import { CheckIncompleteError } from '../errors.js';
import { addedSince, type FirstBuild } from '../model/loading/known-architectures.js';
import { newerVocabulary } from '../model/loading/vocabulary.js';
import type { ModelShape } from '../model/model-shape.js';
import type { LlamaCpp } from '../runtime/llama-cpp.js';

/** Tensor types that not every known llama.cpp reads: `enum ggml_type` (`ggml/include/ggml.h`). */
const TYPES_SINCE: Readonly<Record<string, FirstBuild>> = { F8_E4M3: { notIn: 11222, in: 'v0.8.0' } };

/**
 * A file that a llama.cpp is too old for would not load.
 * @throws CheckIncompleteError MODEL_NEWER_THAN_LLAMA_CPP
 */
export function refuseNewerModel({ architecture, keys, tensors }: ModelShape, { name, build }: LlamaCpp): void {
  const isTooOld = (since: FirstBuild | undefined): since is FirstBuild =>
    since !== undefined && build.to <= since.notIn;
  const architectureSince = addedSince(architecture);
  if (isTooOld(architectureSince))
    throw newer(`the architecture ${JSON.stringify(architecture)}`, name, architectureSince);
  const vocabulary = newerVocabulary(keys);
  if (vocabulary !== undefined && isTooOld(vocabulary.since)) {
    throw newer(`the tokenizer ${JSON.stringify(vocabulary.name)}`, name, vocabulary.since);
  }
  for (const { type } of tensors.values()) {
    const typeSince = TYPES_SINCE[type.name];
    if (isTooOld(typeSince)) throw newer(`tensors of type ${type.name}`, name, typeSince);
  }
}

function newer(what: string, version: string, { in: first }: FirstBuild): CheckIncompleteError {
  return new CheckIncompleteError(
    'MODEL_NEWER_THAN_LLAMA_CPP',
    `llama.cpp ${version} does not know ${what} and would not load this file; ${first} does: name the llama.cpp that will run with --llama-cpp, or use another file.`,
  );
}
