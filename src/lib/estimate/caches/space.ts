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

/** Tensors of one kind of memory one after another, a buffer for each device. */
export class BufferSpace {
  private readonly sizes = new DeviceTally();
  private buffers = new Map<Device, { readonly buffer: Buffer; readonly tensors: CacheTensor[] }>();
  private usage: Buffer['usage'] = 'cache';
  private used = new DeviceTally();
  private last:
    { readonly device: Device; readonly type: GgmlType; readonly ne: Four; readonly bytes: number } | undefined;

  constructor(
    private readonly params: ContextParams,
    private readonly placement: Placement,
  ) {}

  get total(): DeviceBytes {
    return this.sizes;
  }

  /** Later tensors go to new buffers; the total goes on. */
  fresh(usage: Buffer['usage'] = 'cache'): this {
    this.buffers = new Map();
    this.usage = usage;
    this.used = new DeviceTally();
    return this;
  }

  place(layer: number, type: GgmlType, ne: Four): CacheTensor {
    const device = this.params.offloadKqv ? this.placement.layerDevice(layer) : 'cpu';
    const bytes = this.bytesOf(device, type, ne);
    const address = this.used.on(device);
    this.used.add(device, bytes);
    this.sizes.add(device, bytes);
    const { buffer, tensors } = this.on(device);
    const tensor = { type, ne, buffer, address, bytes, layer, neighbours: tensors };
    tensors.push(tensor);
    return tensor;
  }

  /** Most layers' are like the one before. */
  private bytesOf(device: Device, type: GgmlType, ne: Four): number {
    const { last } = this;
    if (last?.device === device && last.type === type && last.ne.every((length, i) => length === ne[i]))
      return last.bytes;
    const { allocSize, alignment } = this.placement.backendOn(device);
    const bytes = pad(allocSize(new Tensor(type, ne, contiguousStrides(type, ne))), alignment);
    this.last = { device, type, ne, bytes };
    return bytes;
  }

  private on(device: Device): { readonly buffer: Buffer; readonly tensors: CacheTensor[] } {
    const known = this.buffers.get(device);
    if (known) return known;
    const created = { buffer: { device, usage: this.usage, repacked: false }, tensors: [] };
    this.buffers.set(device, created);
    return created;
  }
}
