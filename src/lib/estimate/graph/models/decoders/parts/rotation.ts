/** `n_no_rope_layer_step` (`src/llama-hparams.h`, llama.cpp v0.5.0): one layer of so many is not rotated. */
export const ROTATION_PERIOD = 4;
