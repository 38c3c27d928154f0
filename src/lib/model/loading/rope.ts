import { printable } from '../../printable.js';
import type { ModelShape } from '../model-shape.js';
import { refusedByLoader } from './load-error.js';

/** `LLAMA_ROPE_SCALING_TYPES` (`src/llama-model.cpp`, llama.cpp v0.5.0). */
const SCALING_TYPES: ReadonlySet<string> = new Set(['none', 'linear', 'yarn', 'longrope']);
/** Heads of these are rotated whole. */
const WHOLE_HEADS: ReadonlySet<string> = new Set(['llama', 'deci', 'falcon', 'llama-embed']);
/** So are heads of these, as `GGML_ASSERT(n_embd_head == n_rot)` in their graphs says (`src/models/*.cpp`, llama.cpp v0.5.0). */
const WHOLE_HEADS_IN_GRAPH: ReadonlySet<string> = new Set(
  `apertus arcee arctic baichuan chameleon codeshell cogvlm cohere2moe dbrx deepseek dots1 dream ernie4_5 ernie4_5-moe exaone
  exaone-moe exaone4 granite granite_swa granitemoe graniteswitch grok grovemoe hunyuan-dense hunyuan-moe hunyuan_vl hy_v3
  internlm2 jais2 llada llada-moe llama4 maincoder mellum minicpm mistral3 olmo olmo2 olmoe orion paddleocr pangu-embedded plamo
  pockettts qwen2 qwen2moe qwen2vl qwen3 qwen3moe qwen3tts qwen3vl qwen3vlmoe rnd1 seed_oss smallthinker smollm3 starcoder2
  talkie xverse`.split(/\s+/),
);

/**
 * Holds what a header says of the rotation against what `llama_model_base::load_hparams` (`src/llama-model.cpp`, llama.cpp v0.5.0)
 * takes.
 * @throws CheckIncompleteError in llama.cpp's words
 */
export function requireRope({ architecture, keys, hparams: { nHead, nRot, headK, headV } }: ModelShape): void {
  const type = keys.text('rope.scaling.type');
  if (type !== undefined && !SCALING_TYPES.has(type)) {
    throw refusedByLoader(
      'MODEL_ROPE_INVALID',
      `GGML_ASSERT(hparams.rope_scaling_type_train != LLAMA_ROPE_SCALING_TYPE_UNSPECIFIED) failed, since rope.scaling.type is "${printable(type)}"`,
    );
  }
  if (WHOLE_HEADS.has(architecture) && nHead[0] && nRot !== headK)
    throw refusedByLoader('MODEL_ROPE_INVALID', `invalid n_rot: ${nRot}, expected ${headK}`);
  if (WHOLE_HEADS_IN_GRAPH.has(architecture) && nHead[0] && nRot !== headV) {
    throw refusedByLoader(
      'MODEL_ROPE_INVALID',
      `GGML_ASSERT(n_embd_head == n_rot) failed, since rope.dimension_count is ${nRot} and heads have ${headV} elements`,
    );
  }
}
