import type { GgmlType } from '../../gguf/ggml-types.js';
import type { ContextParams } from '../context/context-params.js';
import { type Device, type DeviceBytes, DeviceTally } from '../ggml/device.js';
import { type Buffer, contiguousStrides, type Four, pad, Tensor } from '../ggml/tensor.js';
import type { Placement } from '../weights/placement.js';

/** A tensor that lives as long as the context. */
export interface CacheTensor {
  readonly type: GgmlType;
  readonly ne: Four;
  readonly buffer: Buffer;
  /** Within the buffer, bytes. */
  readonly address: number;
  readonly bytes: number;
  readonly layer: number;
  /** All of its buffer, by address. */
  readonly neighbours: readonly CacheTensor[];
}

/** Where cache tensors lie without those of layers that are left out: what is behind them touches what is before them. */
export class PlannedAddresses {
  private readonly known = new Map<CacheTensor, number>();

  constructor(private readonly leftOut: ReadonlySet<number>) {}

  of(cache: CacheTensor): number {
    if (!this.known.has(cache)) {
      let address = 0;
      for (const tensor of cache.neighbours) {
        this.known.set(tensor, address);
        if (!this.leftOut.has(tensor.layer)) address += tensor.bytes;
      }
    }
    return this.known.get(cache) as number;
  }
}

/** A device's part of a space. */
interface Filled {
  readonly buffer: Buffer;
  readonly tensors: CacheTensor[];
  bytes: number;
}

/** What a tensor takes. */
interface Sized {
  readonly device: Device;
  readonly type: GgmlType;
  readonly ne: Four;
  readonly bytes: number;
}

/** Tensors of one kind of memory one after another, a buffer for each device. */
export class BufferSpace {
  private readonly filled: Filled[] = [];
  /** Of the buffers that tensors go to now, the first. */
  private current = 0;
  private usage: Buffer['usage'] = 'cache';
  /** Most layers' tensors are as large as others'. */
  private readonly sized: Sized[] = [];

  constructor(
    private readonly params: ContextParams,
    private readonly placement: Placement,
  ) {}

  get total(): DeviceBytes {
    const total = new DeviceTally();
    for (const { buffer, bytes } of this.filled) total.add(buffer.device, bytes);
    return total;
  }

  /** Later tensors go to new buffers; the total goes on. */
  fresh(usage: Buffer['usage'] = 'cache'): this {
    this.current = this.filled.length;
    this.usage = usage;
    return this;
  }

  /** Of the buffers that tensors go to now, one that was made for tensors of no bytes; undefined where there is none. */
  get empty(): Buffer | undefined {
    return this.filled.slice(this.current).find(({ bytes }) => bytes === 0)?.buffer;
  }

  place(layer: number, type: GgmlType, ne: Four): CacheTensor {
    const device = this.params.offloadKqv ? this.placement.layerDevice(layer) : 'cpu';
    const filled = this.on(device);
    const { buffer, tensors, bytes: address } = filled;
    const bytes = this.bytesOf(device, type, ne);
    const tensor = { type, ne, buffer, address, bytes, layer, neighbours: tensors };
    tensors.push(tensor);
    filled.bytes = address + bytes;
    return tensor;
  }

  private bytesOf(device: Device, type: GgmlType, ne: Four): number {
    const { sized } = this;
    for (let i = 0; i < sized.length; i++) {
      const known = sized[i] as Sized;
      if (known.type === type && known.device === device && sameFour(known.ne, ne)) return known.bytes;
    }
    const { allocSize, alignment } = this.placement.backendOn(device);
    const bytes = pad(allocSize(new Tensor(type, ne, contiguousStrides(type, ne))), alignment);
    sized.push({ device, type, ne, bytes });
    return bytes;
  }

  private on(device: Device): Filled {
    const { filled } = this;
    for (let i = this.current; i < filled.length; i++) {
      const known = filled[i] as Filled;
      if (known.buffer.device === device) return known;
    }
    const created: Filled = { buffer: { device, usage: this.usage, repacked: false }, tensors: [], bytes: 0 };
    filled.push(created);
    return created;
  }
}

function sameFour(a: Four, b: Four): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3];
}
