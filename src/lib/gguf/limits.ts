/**
 * What a header may claim. Each bound is far above anything published and low enough that a hostile file costs neither
 * memory nor time (CWE-400, CWE-770, CWE-789).
 */

/** The longest published headers, with vocabularies of 262144 tokens, are about 16 MiB. */
export const MAX_HEADER_BYTES = 128 * 2 ** 20;

/** Published files have 20 to 80 keys. */
export const MAX_KEYS = 8192;

/** The GGUF specification's own bound; published keys are shorter than 80 bytes. */
export const MAX_KEY_BYTES = 65535;

/** Mixtures of experts stored expert by expert reach a few thousand tensors. */
export const MAX_TENSORS = 65536;

/** `GGML_MAX_NAME` in `ggml/include/ggml.h` of llama.cpp v0.5.0 is 64 and counts the closing zero. */
export const MAX_TENSOR_NAME_BYTES = 63;

/** `GGML_MAX_DIMS` in `ggml/include/ggml.h` of llama.cpp v0.5.0. */
export const MAX_DIMS = 4;

/** Longer strings are licences and templates, which no estimate needs. */
export const MAX_KEPT_STRING_BYTES = 4096;

/** `LLAMA_MAX_LAYERS` in `src/llama-hparams.h` of llama.cpp v0.5.0. */
export const MAX_LAYERS = 512;

/** Per-layer arrays have at most `MAX_LAYERS` elements; longer ones are vocabularies. */
export const MAX_KEPT_ELEMENTS = 4096;

/**
 * Of all arrays together; the largest published vocabularies have 1.3 million, of words, their scores and kinds, and merges. What llama.cpp
 * makes of one in its own memory, which no estimate counts, is up to 140 bytes.
 */
export const MAX_ELEMENTS = 2 ** 22;

/** All keys and kept values together; published files need a few KiB. */
export const MAX_KEPT_BYTES = 2 * 2 ** 20;

/** More than one page, since tensor data may be aligned to what a file system or a GPU wants. */
export const MAX_ALIGNMENT_BYTES = 2 ** 20;

/** The largest published models have fewer than 200 parts. */
export const MAX_SHARDS = 1024;
