import type { GgufFile, GgufTensor } from '../gguf/header.js';
import type { Hparams } from './hparams.js';
import type { Keys } from './keys.js';

/** What a header means: the numbers every room needs, and the tensors by name. */
export interface ModelShape {
  readonly architecture: string;
  readonly name: string | undefined;
  /** As people call it (`Q4_K_M`), from `general.file_type`, or the type that most weight bytes have. */
  readonly quantization: string;
  readonly parameterCount: number;
  /** The header's metadata; keys of the architecture without their prefix. */
  readonly keys: Keys;
  /** Layers, heads, windows, experts, recurrent layers: what llama.cpp derives from the metadata. */
  readonly hparams: Readonly<Hparams>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  readonly files: readonly GgufFile[];
  /** Size of all files together. */
  readonly fileBytes: number;
}
