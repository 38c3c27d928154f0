import { CheckIncompleteError } from '../errors.js';
import { printable } from '../printable.js';
import { addedSince, BY_V0_8_0, type FirstBuild } from '../model/loading/known-architectures.js';
import { refusedByLoader } from '../model/loading/load-error.js';
import { newerVocabulary } from '../model/loading/vocabulary.js';
import type { ModelShape } from '../model/model-shape.js';
import { llamaCpp, type LlamaCpp } from '../runtime/llama-cpp.js';
import type { LaunchOptions } from '../runtime/launch-options.js';
import { table } from '../table.js';

/** Tensor types that not every known llama.cpp reads: `enum ggml_type` (`ggml/include/ggml.h`). */
const TYPES_SINCE: Readonly<Record<string, FirstBuild>> = { F8_E4M3: { notIn: 11222, in: 'v0.8.0' } };

/** Tensors that an architecture loads since v0.5.0 only, all by v0.8.0: the differences of `load_arch_tensors` in `src/models/*.cpp`. */
const TENSORS_SINCE: Readonly<Record<string, RegExp>> = table({
  dflash: /^(?:lilicorr|joint_proj|mask_embd|fc\.input_scale)|attn_(?:kv_a_mqa|kv_a_norm|k_b|v_b)\./,
  lfm2: /^(?:cls|token_types)\b/,
  mellum: /\.nextn\./,
  mistral3: /\.ffn_norm_ada_/,
  'modern-bert': /^token_types\b|^cls(?:\.norm)?\.bias$/,
  qwen3: /^dense_2\./,
  qwen35: /^cls\.output\./,
});

/** What is loaded beside an output of type NVFP4, and by v0.8.0 beside one of any type (`load_tensors`, `src/llama-model.cpp`). */
const OUTPUT_FACTOR = /^output\.(?:input_)?scale$/;

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
  const newTensors = TENSORS_SINCE[architecture];
  const output = tensors.get('output.weight')?.type.name;
  for (const { name: tensor, type } of tensors.values()) {
    if (newTensors?.test(tensor) && isTooOld(BY_V0_8_0))
      throw newer(`the tensor ${JSON.stringify(printable(tensor))} of ${architecture}`, name, BY_V0_8_0);
    if (OUTPUT_FACTOR.test(tensor) && output !== 'NVFP4' && isTooOld(BY_V0_8_0))
      throw newer(`the tensor ${tensor} beside an output of type ${output}`, name, BY_V0_8_0);
    const typeSince = TYPES_SINCE[type.name];
    if (isTooOld(typeSince)) throw newer(`tensors of type ${type.name}`, name, typeSince);
  }
}

/** Factors that quantized weights bring along. */
const FACTOR = /^blk\.(\d+)\..*\.(?:input_)?scale$/;

/**
 * Blocks that predict ahead are skipped unless they are to draft, and factors of what is not loaded are looked for by nobody
 * (`llama_model_base::load_tensors`, `src/llama-model.cpp`, llama.cpp v0.5.0); Nemotron's are by name, from v0.8.0 on.
 * @throws CheckIncompleteError MODEL_TENSOR_UNUSED
 */
export function refuseSkippedFactors(
  { architecture, tensors, hparams: { nLayer, nLayerNextn } }: ModelShape,
  { specTypes = [], llamaCpp: version }: LaunchOptions,
): void {
  const areLoaded = specTypes.includes('draft-mtp') || nLayer === 0;
  if (nLayerNextn === 0 || areLoaded) return;
  if (architecture.startsWith('nemotron_h') && llamaCpp(version).build.to > BY_V0_8_0.notIn) return;
  const skipped = [...tensors.keys()].find((name) => Number(FACTOR.exec(name)?.[1] ?? -1) >= nLayer);
  if (skipped === undefined) return;
  throw refusedByLoader(
    'MODEL_TENSOR_UNUSED',
    `wrong number of tensors; ${printable(skipped)} belongs to a block that is loaded with --spec-type draft-mtp only`,
  );
}

function newer(what: string, version: string, { in: first }: FirstBuild): CheckIncompleteError {
  return new CheckIncompleteError(
    'MODEL_NEWER_THAN_LLAMA_CPP',
    `llama.cpp ${version} does not know ${what} and would not load this file; ${first} does: name the llama.cpp that will run with --llama-cpp, or use another file.`,
  );
}
