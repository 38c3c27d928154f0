import { CheckIncompleteError } from '../../errors.js';
import { printable } from '../../printable.js';
import { ARCHITECTURE_RULES } from '../architectures.js';
import { layerOf } from '../block-name.js';
import { convStateSize, ssmStateSize } from '../hparams.js';
import { requireGraphValues } from './graph-values.js';
import { requireHeads } from './heads.js';
import { refusedByLoader } from './load-error.js';
import { requireKeys } from './required-keys.js';
import { requireRope } from './rope.js';
import { requireVocabulary } from './vocabulary.js';
import type { ModelShape } from '../model-shape.js';
import { tensorRows } from '../tensors/tensor-rows.js';
import { loadTensors } from '../tensors/load-tensors.js';

/** What they run is neither blocks nor described here (`src/models/wavtokenizer-dec.cpp`, llama.cpp v0.5.0). */
const VOCODERS: ReadonlySet<string> = new Set(['wavtokenizer-dec']);

/** Every Mac, every machine with a discrete GPU and nearly every other is little-endian. */
const MACHINE_BYTE_ORDER = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 'little' : 'big';

/**
 * Holds what a header says of itself against its tensors, as llama.cpp does when it loads the file.
 * @throws CheckIncompleteError with the reason that llama.cpp would give
 */
export function requireLoadable(shape: ModelShape, byteOrder: 'little' | 'big'): void {
  if (byteOrder !== MACHINE_BYTE_ORDER) {
    throw refusedByLoader(
      'MODEL_BYTE_ORDER',
      `it is ${byteOrder}-endian and this machine is ${MACHINE_BYTE_ORDER}-endian, is there a mismatch between the host and model endianness?`,
    );
  }
  if (VOCODERS.has(shape.architecture)) {
    throw new CheckIncompleteError(
      'MODEL_NOT_A_LANGUAGE_MODEL',
      `${shape.architecture} turns a language model's tokens into sound: llama-tts loads it beside one, and llama-server does not serve it; name the language model`,
    );
  }
  requireKeys(shape);
  requireVocabulary(shape.keys);
  requireGraphValues(shape);
  requireHeads(shape);
  requireRope(shape);
  checkSomeRun(shape);
  checkWindows(shape);
  checkIndexers(shape);
  checkStates(shape);
  const rows = tensorRows(shape.architecture);
  if (rows === undefined) checkBlocks(shape);
  else loadTensors(shape, rows);
}

/** `llama_model_base::create_memory` (`src/llama-model.cpp`, llama.cpp v0.5.0): a cache for windows needs a layer that has one. */
function checkWindows({ architecture, hparams: { swa, isSwa } }: ModelShape): void {
  const rule = ARCHITECTURE_RULES[architecture];
  if (rule?.memory !== 'attention' || rule.indexer || swa === 'none' || isSwa.includes(true)) return;
  throw refusedByLoader(
    'MODEL_COUNT_INVALID',
    'GGML_ASSERT(hparams.is_swa_any()) failed, since no layer has a window by attention.sliding_window_pattern',
  );
}

/** `llama_memory_recurrent` (`src/llama-memory-recurrent.cpp`, llama.cpp v0.5.0): a buffer for states of no size is not allocated. */
function checkStates({ architecture, hparams }: ModelShape): void {
  const { isRecurrent, nLayer, ngramState } = hparams;
  const memory = ARCHITECTURE_RULES[architecture]?.memory;
  if (memory !== 'recurrent' && (memory !== 'hybrid' || !isRecurrent.slice(0, nLayer).includes(true))) return;
  if (convStateSize(hparams) > 0 || ssmStateSize(hparams) > 0 || ngramState.some((size) => size > 0)) return;
  throw refusedByLoader(
    'MODEL_COUNT_INVALID',
    'failed to allocate buffer for rs cache, since its recurrent layers have states of no size',
  );
}

/** Their indexers' keys are always turned (`llama_kv_cache::llama_kv_cache`, `src/llama-kv-cache.cpp`, llama.cpp v0.5.0). */
const TURN_INDEXER_KEYS: ReadonlySet<string> = new Set(['deepseek32', 'deepseek4', 'dots3note', 'glm-dsa']);
/** Tokens that a key of DeepSeek-V4's indexer stands for. */
const INDEXED_RATIO = 4;

/**
 * `llama_kv_cache::build_input_k_rot`: the size of what they are turned by is that of the layers' heads, and 0 divides nothing. A
 * layer with a window has the heads of windows there, too (`hparams_lid` in `src/llama-kv-cache-dsa.cpp`).
 */
function checkIndexers({ architecture, keys, hparams }: ModelShape): void {
  if (!TURN_INDEXER_KEYS.has(architecture)) return;
  const rule = ARCHITECTURE_RULES[architecture];
  const ratios = rule?.compressRatios?.(keys);
  const isIndexed = (layer: number): boolean =>
    ratios ? ratios[layer] === INDEXED_RATIO : rule?.indexer?.(hparams, layer) === true;
  const indexed = Array.from({ length: hparams.nLayer }, (_, layer) => layer).filter(isIndexed);
  if (indexed.length === 0)
    throw refusedByLoader(
      'MODEL_COUNT_INVALID',
      'no layer has an indexer, and llama.cpp divides by the size of their keys',
    );
  const { headSize } = hparams.indexer;
  const odd = ratios || hparams.headKSwa === headSize ? undefined : indexed.find((layer) => hparams.isSwa[layer]);
  if (odd === undefined) return;
  throw refusedByLoader(
    'MODEL_COUNT_INVALID',
    `GGML_ASSERT(ggml_can_mul_mat(a, b)) failed, since layer ${odd} has an indexer with keys of ${headSize} numbers and a window with keys of ${hparams.headKSwa}`,
  );
}

/** Drafts that are nothing but layers that predict ahead. */
const ONLY_PREDICTING: ReadonlySet<string> = new Set(['gemma4-assistant']);

function checkSomeRun({ architecture, hparams: { nLayerAll, nLayer } }: ModelShape): void {
  if (nLayer > 0 || ONLY_PREDICTING.has(architecture)) return;
  throw refusedByLoader('MODEL_COUNT_INVALID', `nextn_predict_layers leaves none of its ${nLayerAll} blocks to run`);
}

/**
 * Where it is not known what an architecture loads: every block is there, none is beyond the last, and those left out only
 * predict ahead.
 */
function checkBlocks({ tensors, hparams: { nLayerAll, nLayer, blockOf } }: ModelShape): void {
  const lastBlock = Math.max(...blockOf);
  const present = new Set<number>();
  const predicting = new Set<number>();
  for (const name of tensors.keys()) {
    const block = layerOf(name) ?? NaN;
    if (block > lastBlock) {
      throw refusedByLoader(
        'MODEL_TENSOR_UNUSED',
        `wrong number of tensors; ${printable(name)} belongs to a block beyond its block_count of ${lastBlock + 1}`,
      );
    }
    present.add(block);
    if (name.includes('.nextn.')) predicting.add(block);
  }
  for (let block = 0; block < nLayerAll; block++) {
    if (block < nLayer && !present.has(blockOf[block] as number)) {
      throw refusedByLoader(
        'MODEL_TENSOR_MISSING',
        `it has no tensor of block ${block}, though its block_count is ${nLayerAll}`,
      );
    }
    if (block >= nLayer && present.has(block) && !predicting.has(block)) {
      throw refusedByLoader(
        'MODEL_TENSOR_MISSING',
        `tensor 'blk.${block}.nextn.eh_proj.weight' not found, though nextn_predict_layers leaves only ${nLayer} blocks to run`,
      );
    }
  }
}
