import { printable } from '../../printable.js';
import type { ModelShape } from '../model-shape.js';
import { refusedByLoader } from './load-error.js';

/** `LLAMA_ROPE_SCALING_TYPES` (`src/llama-model.cpp`, llama.cpp v0.5.0). */
const SCALING_TYPES: ReadonlySet<string> = new Set(['none', 'linear', 'yarn', 'longrope']);
/** Heads of these are rotated whole: `llama_model_base::load_hparams`. */
const WHOLE_HEADS: ReadonlySet<string> = new Set(['llama', 'deci', 'falcon', 'llama-embed']);

/** And of these, whose graphs assert it, or take the rotation's size for the heads' as gpt-oss (`src/models/*.cpp`, v0.5.0 or b12032). */
const WHOLE_IN_GRAPH: ReadonlySet<string> = new Set(
  `apertus arcee arctic baichuan chameleon codeshell cogvlm cohere2moe dbrx deepseek dots1 dream ernie4_5
  ernie4_5-moe exaone exaone-moe exaone4 flint gpt-oss granite granite_swa granitemoe graniteswitch grok grovemoe
  hunyuan-dense hunyuan-moe hunyuan_vl hy_v3 internlm2 jais2 llada llada-moe llama4 maincoder maion-coder
  mellum minicpm mistral3 olmo olmo2 olmoe orion paddleocr pangu-embedded plamo pockettts qwen2 qwen2moe
  qwen2vl qwen3 qwen3moe qwen3tts qwen3vl qwen3vlmoe rnd1 seed_oss smallthinker smollm3 starcoder2 talkie
  xverse`.split(/\s+/),
);

/** Those that rotate nothing, or not by `rope.dimension_count`: `llama_model_rope_type`, and graphs without rotation. */
const NOT_ROTATED: ReadonlySet<string> = new Set(
  `arwkv7 bert bloom glm5-next gpt2 jais jamba jina-bert-v2 kimi-k3 kimi-linear mamba mamba2 mpt nemotron_h
  nemotron_h_moe refact rwkv6 rwkv6qwen2 rwkv7 starcoder t5 t5encoder`.split(/\s+/),
);

/** Rotated by positions of several kinds, each for a section of the head: the same function. */
const BY_SECTIONS: ReadonlySet<string> = new Set(
  'qwen2vl paddleocr qwen3vl qwen3vlmoe qwen35 qwen35moe qwen4exp qwen3tts'.split(' '),
);

/**
 * Holds what a header says of the rotation against what `llama_model_base::load_hparams` (`src/llama-model.cpp`), the graph
 * and the operation (`ggml_compute_forward_rope_flt`, `ggml/src/ggml-cpu/ops.cpp`; llama.cpp v0.5.0) take.
 * @throws CheckIncompleteError in llama.cpp's words
 */
export function requireRope(shape: ModelShape): void {
  const reason = unknownScaling(shape) ?? wrongWidth(shape) ?? noSections(shape);
  if (reason !== undefined) throw refusedByLoader('MODEL_ROPE_INVALID', reason);
}

function unknownScaling({ keys }: ModelShape): string | undefined {
  if (!keys.has('rope.scaling.type')) return undefined;
  // One that is too long to be kept is none of them either.
  const type = keys.text('rope.scaling.type') ?? 'too long a word';
  if (SCALING_TYPES.has(type)) return undefined;
  return `GGML_ASSERT(hparams.rope_scaling_type_train != LLAMA_ROPE_SCALING_TYPE_UNSPECIFIED) failed, since rope.scaling.type is "${printable(type)}"`;
}

function wrongWidth({ architecture, keys, hparams }: ModelShape): string | undefined {
  const { nHead, nRot, headK, headV, headKSwa, headVSwa, isSwa, nLayer } = hparams;
  if (!nHead[0] || NOT_ROTATED.has(architecture)) return undefined;
  if (WHOLE_HEADS.has(architecture) && nRot !== headK) return `invalid n_rot: ${nRot}, expected ${headK}`;
  const nRotSwa = keys.number('rope.dimension_count_swa', nRot);
  // Layer 0's is asserted.
  const [first, head] = isSwa[0] ? [nRotSwa, headVSwa] : [nRot, headV];
  if (WHOLE_IN_GRAPH.has(architecture) && first !== head)
    return `GGML_ASSERT(n_embd_head == n_rot) failed, since rope.dimension_count is ${first} and heads are ${head} wide`;
  const layers = isSwa.slice(0, nLayer || isSwa.length);
  for (const [windowed, dims, width] of [
    [false, nRot, headK],
    [true, nRotSwa, headKSwa],
  ] as const) {
    if (!layers.includes(windowed)) continue;
    // What has no room in 31 bits is negative there, and rotates nothing.
    if (dims < 2 ** 31 && dims > width)
      return `GGML_ASSERT(n_dims <= ne0) failed, since ${dims} of ${width} elements of a head are to be rotated`;
    if (dims % 2 !== 0)
      return `GGML_ASSERT(n_dims % 2 == 0) failed, since ${dims} elements of a head are to be rotated`;
  }
  return undefined;
}

function noSections({ architecture, keys }: ModelShape): string | undefined {
  if (!BY_SECTIONS.has(architecture)) return undefined;
  const sections = keys.list('rope.dimension_sections').slice(0, 3);
  return sections.length > 0 && sections.every((elements) => elements <= 0)
    ? `GGML_ASSERT(sections[0] > 0 || sections[1] > 0 || sections[2] > 0) failed (rope.dimension_sections)`
    : undefined;
}
