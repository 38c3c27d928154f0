import type { GgufFile, GgufTensor } from '../gguf/header.js';
import type { Hparams } from './hparams.js';
import type { Keys } from './keys.js';

/** What the header of any GGUF file says. */
export interface FileShape {
  readonly architecture: string;
  readonly name: string | undefined;
  /** As people call it (`Q4_K_M`), from `general.file_type`, or the type that most weight bytes have. */
  readonly quantization: string;
  readonly parameterCount: number;
  /** The header's metadata; keys of the architecture without their prefix. */
  readonly keys: Keys;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  readonly files: readonly GgufFile[];
  /** Size of all files together. */
  readonly fileBytes: number;
}

/** A language model: one that is served, or the draft for one. */
export interface ModelShape extends FileShape {
  readonly kind: 'model';
  /** Layers, heads, windows, experts, recurrent layers: what llama.cpp derives from the metadata. */
  readonly hparams: Readonly<Hparams>;
}

/** A multimodal projector (mmproj): the encoders of images and audio beside a model. */
export interface ProjectorShape extends FileShape {
  readonly kind: 'projector';
}

/** A LoRA adapter or a control vector. */
export interface AdapterShape extends FileShape {
  readonly kind: 'adapter';
}

export type Shape = ModelShape | ProjectorShape | AdapterShape;

const KINDS: Readonly<Record<Shape['kind'], string>> = {
  model: 'a model',
  projector: 'a projector',
  adapter: 'an adapter',
};

/** What people call a file. */
export function kindName(shape: Shape): string {
  return isControlVector(shape) ? 'a control vector' : KINDS[shape.kind];
}

export function isControlVector(shape: Shape): shape is AdapterShape {
  return shape.kind === 'adapter' && shape.architecture === 'controlvector';
}
