import { printable } from '../printable.js';
import type { ByteWindow } from './byte-window.js';
import { ggmlTypeById } from './ggml-types.js';
import { countInWords, GgufError, type GgufErrorCode } from './gguf-error.js';
import { DEFAULT_ALIGNMENT_BYTES, type GgufFile, type GgufTensor } from './header.js';
import { MAX_DIMS, MAX_TENSOR_NAME_BYTES } from './limits.js';
import type { MetadataParser, Steps } from './metadata-parser.js';
import { TensorLayout, tensorBytes } from './tensor-layout.js';

/** A tensor as the file lists it; `offsetBytes` is counted from the start of all tensor data until it is placed. */
type ListedTensor = { -readonly [Key in keyof GgufTensor]: GgufTensor[Key] };

/** Reads the tensor list; refuses what `gguf_init_from_reader` (`ggml/src/gguf.cpp`, llama.cpp v0.5.0) refuses. */
export class TensorInfoParser {
  readonly #window: ByteWindow;
  readonly #values: MetadataParser;
  readonly #name: string;

  constructor(window: ByteWindow, values: MetadataParser, name: string) {
    this.#window = window;
    this.#values = values;
    this.#name = name;
  }

  *read(tensorCount: number): Steps<ListedTensor[]> {
    const window = this.#window;
    const tensors: ListedTensor[] = [];
    const names = new Set<string>();
    for (let index = 0; index < tensorCount; index++) {
      while (!window.has(8)) yield;
      const nameBytes = this.#nameLength(index);
      while (!window.has(nameBytes + 4)) yield;
      const name = window.text(nameBytes);
      const dimCount = window.u32();
      if (dimCount < 1 || dimCount > MAX_DIMS)
        this.#failShape(name, `has ${dimCount} dimensions, not 1 to ${MAX_DIMS}`);
      while (!window.has(dimCount * 8 + 12)) yield;
      tensors.push(this.#tensor(name, dimCount));
      if (names.has(name)) this.#failShape(name, 'occurs twice');
      names.add(name);
    }
    return tensors;
  }

  #nameLength(index: number): number {
    const length = this.#values.arrivedLength('the name of a tensor', 1);
    if (length <= MAX_TENSOR_NAME_BYTES) return length;
    return this.#fail(
      'GGUF_LIMIT_EXCEEDED',
      `the name of tensor ${index + 1} has ${length} bytes; at most ${MAX_TENSOR_NAME_BYTES} are allowed`,
    );
  }

  #tensor(name: string, dimCount: number): ListedTensor {
    const dims = this.#dims(dimCount);
    const typeId = this.#window.u32();
    const type = ggmlTypeById(typeId);
    if (type === undefined) {
      this.#fail(
        'GGUF_TENSOR_TYPE_UNKNOWN',
        `the tensor ${printable(name)} has type ${typeId}, which no llama.cpp up to b12032 knows; ` +
          'it may come from a newer version',
      );
    }
    const bytes = tensorBytes(dims, type);
    if (bytes === undefined) {
      this.#failShape(name, `of type ${type.name} cannot have the shape ${dims.map(countInWords).join(' x ')}`);
    }
    return { name, dims, type, file: 0, offsetBytes: this.#window.u64(), bytes };
  }

  /** Each list as long as it is: one that grows has room for seventeen numbers. */
  #dims(count: number): number[] {
    const { u64 } = this.#window;
    if (count === 1) return [u64()];
    if (count === 2) return [u64(), u64()];
    return count === 3 ? [u64(), u64(), u64()] : [u64(), u64(), u64(), u64()];
  }

  #failShape(name: string, problem: string): never {
    this.#fail('GGUF_TENSOR_INVALID', `the tensor ${printable(name)} ${problem}`);
  }

  /** Turns offsets into absolute ones and holds them against the layout that llama.cpp demands. */
  place(tensors: readonly ListedTensor[], alignment: number, fileBytes: number | undefined): GgufFile {
    const layout = new TensorLayout(this.#window.position, alignment);
    const { dataOffsetBytes } = layout;
    for (const tensor of tensors) {
      const offsetBytes = layout.next(tensor.bytes);
      if (tensor.offsetBytes !== offsetBytes - dataOffsetBytes) {
        const found = dataOffsetBytes + tensor.offsetBytes;
        this.#failShape(
          tensor.name,
          `starts at byte ${found} instead of ${offsetBytes}: tensors overlap or leave gaps`,
        );
      }
      tensor.offsetBytes = offsetBytes;
      const endBytes = offsetBytes + tensor.bytes;
      if (!Number.isSafeInteger(endBytes) || endBytes > (fileBytes ?? Infinity)) {
        this.#fail(
          'GGUF_TRUNCATED',
          `the tensor ${printable(tensor.name)} ends at byte ${endBytes}, but the file has ` +
            `${fileBytes === undefined ? 'fewer' : `${fileBytes} bytes`}; it is incomplete, so fetch it again`,
        );
      }
    }
    const file = { bytes: fileBytes, dataOffsetBytes };
    return alignment === DEFAULT_ALIGNMENT_BYTES ? file : { ...file, alignmentBytes: alignment };
  }

  #fail(code: GgufErrorCode, problem: string): never {
    throw new GgufError(code, `${this.#name}: ${problem}`);
  }
}
