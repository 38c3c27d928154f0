import type { GgufFile, GgufTensor, MetadataValue } from '../gguf/header.js';

/** What a header means: the numbers every room needs, and the tensors by name. */
export interface ModelShape {
  readonly architecture: string;
  readonly name: string | undefined;
  /** As people call it (`Q4_K_M`), from `general.file_type`, or the type most weights have. */
  readonly quantization: string;
  readonly parameterCount: number;
  /** `<arch>.block_count`, including layers that only predict further tokens (`nextn_predict_layers`). */
  readonly blockCount: number;
  readonly contextLength: number;
  readonly embeddingLength: number;
  readonly vocabSize: number;
  readonly expertCount: number;
  /** True for BERT-like encoders, which have no KV cache. */
  readonly encoder: boolean;
  /** Architecture keys without their `<arch>.` prefix (`attention.head_count`), the rest by full name. */
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  readonly files: readonly GgufFile[];
  /** Size of all files together. */
  readonly fileBytes: number;
}
