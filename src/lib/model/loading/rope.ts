import { printable } from '../../printable.js';
import type { ModelShape } from '../model-shape.js';
import { refusedByLoader } from './load-error.js';

/** `LLAMA_ROPE_SCALING_TYPES` (`src/llama-model.cpp`, llama.cpp v0.5.0). */
const SCALING_TYPES: ReadonlySet<string> = new Set(['none', 'linear', 'yarn', 'longrope']);
/** Heads of these are rotated whole. */
const WHOLE_HEADS: ReadonlySet<string> = new Set(['llama', 'deci', 'falcon', 'llama-embed']);

/**
 * Holds what a header says of the rotation against what `llama_model_base::load_hparams` (`src/llama-model.cpp`, llama.cpp v0.5.0)
 * takes.
 * @throws CheckIncompleteError in llama.cpp's words
 */
export function requireRope({ architecture, keys, hparams: { nHead, nRot, headK } }: ModelShape): void {
  const type = keys.text('rope.scaling.type');
  if (type !== undefined && !SCALING_TYPES.has(type)) {
    throw refusedByLoader(
      'MODEL_ROPE_INVALID',
      `GGML_ASSERT(hparams.rope_scaling_type_train != LLAMA_ROPE_SCALING_TYPE_UNSPECIFIED) failed, since rope.scaling.type is "${printable(type)}"`,
    );
  }
  if (WHOLE_HEADS.has(architecture) && nHead[0] && nRot !== headK)
    throw refusedByLoader('MODEL_ROPE_INVALID', `invalid n_rot: ${nRot}, expected ${headK}`);
}
