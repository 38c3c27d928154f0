import { printable } from '../printable.js';
import type { ByteWindow } from './byte-window.js';
import { ggmlTypeById, type GgmlType } from './ggml-types.js';
import { GgufError, type GgufErrorCode } from './gguf-error.js';
import { DEFAULT_ALIGNMENT_BYTES, type GgufFile, type GgufTensor } from './header.js';
import { MAX_DIMS, MAX_TENSOR_NAME_BYTES } from './limits.js';
import type { MetadataParser, Steps } from './metadata-parser.js';
import { TensorLayout, tensorBytes } from './tensor-layout.js';

/** A tensor as the file lists it: where its data starts is counted from the start of all tensor data. */
interface TensorInfo {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: GgmlType;
  readonly relativeOffsetBytes: number;
}

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

  *read(tensorCount: number): Steps<TensorInfo[]> {
    const infos: TensorInfo[] = [];
    const names = new Set<string>();
    for (let index = 0; index < tensorCount; index++) {
      const info = yield* this.#tensor(index);
      if (names.has(info.name)) this.#fail('GGUF_TENSOR_INVALID', `the tensor ${printable(info.name)} occurs twice`);
      names.add(info.name);
      infos.push(info);
    }
    return infos;
  }

  *#tensor(index: number): Steps<TensorInfo> {
    const length = yield* this.#values.length(`the name of tensor ${index + 1}`, 1);
    if (length > MAX_TENSOR_NAME_BYTES) {
      this.#fail(
        'GGUF_LIMIT_EXCEEDED',
        `the name of tensor ${index + 1} has ${length} bytes; at most ${MAX_TENSOR_NAME_BYTES} are allowed`,
      );
    }
    yield* this.#values.need(length + 4);
    const name = this.#window.text(length);
    const shown = `the tensor ${printable(name)}`;
    const dimCount = this.#window.u32();
    if (dimCount < 1 || dimCount > MAX_DIMS) {
      this.#fail('GGUF_TENSOR_INVALID', `${shown} has ${dimCount} dimensions; it must have 1 to ${MAX_DIMS}`);
    }
    yield* this.#values.need(dimCount * 8 + 12);
    const dims = Array.from({ length: dimCount }, () => this.#window.u64());
    const typeId = this.#window.u32();
    const type = ggmlTypeById(typeId);
    if (type === undefined) {
      this.#fail(
        'GGUF_TENSOR_TYPE_UNKNOWN',
        `${shown} has type ${typeId}, which llama.cpp v0.5.0 does not know; it may come from a newer version`,
      );
    }
    if (tensorBytes(dims, type) === undefined) {
      this.#fail('GGUF_TENSOR_INVALID', `${shown} of type ${type.name} cannot have the shape ${dims.join(' x ')}`);
    }
    return { name, dims, type, relativeOffsetBytes: this.#window.u64() };
  }

  /** Turns offsets into absolute ones and holds them against the layout that llama.cpp demands. */
  place(
    infos: readonly TensorInfo[],
    alignment: number,
    fileBytes: number | undefined,
  ): { tensors: GgufTensor[]; file: GgufFile } {
    const layout = new TensorLayout(this.#window.position, alignment);
    const tensors = infos.map((info) => {
      const { name, dims, type } = info;
      const tensor = { name, dims, type, file: 0, ...layout.next(dims, type) };
      const foundBytes = layout.dataOffsetBytes + info.relativeOffsetBytes;
      if (foundBytes !== tensor.offsetBytes) {
        this.#fail(
          'GGUF_TENSOR_INVALID',
          `the tensor ${printable(name)} starts at byte ${foundBytes} instead of ${tensor.offsetBytes}, ` +
            'so tensors overlap or leave gaps',
        );
      }
      const endBytes = tensor.offsetBytes + tensor.bytes;
      if (!Number.isSafeInteger(endBytes) || endBytes > (fileBytes ?? Infinity)) {
        this.#fail(
          'GGUF_TRUNCATED',
          `the tensor ${printable(name)} ends at byte ${endBytes}, but the file has ` +
            `${fileBytes === undefined ? 'fewer' : `${fileBytes} bytes`}; it is incomplete, so fetch it again`,
        );
      }
      return tensor;
    });
    const usual = alignment === DEFAULT_ALIGNMENT_BYTES;
    const file = { bytes: fileBytes, dataOffsetBytes: layout.dataOffsetBytes };
    return { tensors, file: usual ? file : { ...file, alignmentBytes: alignment } };
  }

  #fail(code: GgufErrorCode, problem: string): never {
    throw new GgufError(code, `${this.#name}: ${problem}`);
  }
}
