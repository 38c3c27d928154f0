import type { AdapterShape, ModelShape } from '../../../model/model-shape.js';
import { UsageError } from '../../../errors.js';
import type { GgufTensor } from '../../../gguf/header.js';
import type { Device } from '../../ggml/device.js';
import { type Buffer, contiguousStrides, F32, Tensor } from '../../ggml/tensor.js';
import type { Placement } from '../../weights/placement.js';

/** A weight's low-rank factors; the product with B after A is added to its own. */
interface LowRank {
  readonly a: Tensor;
  readonly b: Tensor;
}

/** By the name of the weight that they belong to. */
export type AdapterWeights = ReadonlyMap<string, readonly LowRank[]>;

/** A tensor of an adapter and the buffer of the weight that it adapts. */
export interface PlacedFactor {
  readonly tensor: GgufTensor;
  readonly weight: string;
  readonly factor: 'a' | 'b';
  readonly buffer: Buffer;
}

/** Those that are applied, each with its factors. */
export type Adapters = readonly (readonly PlacedFactor[])[];

const FACTOR = /^(.+)\.lora_([ab])$/;
/** Left out: "TODO: add support for norm vector". */
const IGNORED = /_norm\.weight$/;

/**
 * `llama_adapter_lora_init_impl` (`src/llama-adapter.cpp`, llama.cpp v0.5.0): each factor lies where the weight does, next to
 * repacked ones in plain memory.
 * @throws UsageError for an adapter that llama.cpp refuses to load beside the model
 */
export function placeAdapter(adapter: AdapterShape, shape: ModelShape, placement: Placement): PlacedFactor[] {
  if (adapter.architecture !== shape.architecture) {
    throw refusedAdapter(`it was made for ${adapter.architecture}, the model is ${shape.architecture}`);
  }
  const placed: PlacedFactor[] = [];
  for (const tensor of adapter.tensors.values()) {
    const [, weight, factor] = FACTOR.exec(tensor.name) ?? [];
    if (weight === undefined) {
      if (IGNORED.test(tensor.name)) continue;
      throw refusedAdapter(`LoRA tensor ${JSON.stringify(tensor.name)} has an unexpected suffix`);
    }
    const base = shape.tensors.get(weight);
    if (!base) throw refusedAdapter(`the model has no ${JSON.stringify(weight)}`);
    if (!adapter.tensors.has(`${weight}.lora_${factor === 'a' ? 'b' : 'a'}`)) {
      throw refusedAdapter(`the pair for ${JSON.stringify(weight)} is missing one component`);
    }
    if (!isOfShape(base, adapter.tensors, weight))
      throw refusedAdapter(`its factors for ${JSON.stringify(weight)} are of another shape`);
    const { device } = placement.bufferOf(base);
    placed.push({ tensor, weight, factor: factor as 'a' | 'b', buffer: bufferOn(device) });
  }
  return placed;
}

/** A multiplies what the weight multiplies, B gives what it gives; for a table of embeddings they change places. */
function isOfShape({ name, dims }: GgufTensor, factors: AdapterShape['tensors'], weight: string): boolean {
  const [a, b] = ['a', 'b'].map((factor) => factors.get(`${weight}.lora_${factor}`)?.dims);
  const [input = 1, output = 1] = dims;
  if (name.endsWith('token_embd.weight')) return input === (b?.[1] ?? 1) && output === (a?.[1] ?? 1);
  return input === a?.[0] && output === (b?.[1] ?? 1) && (a[1] ?? 1) === b?.[0];
}

const BUFFERS = new Map<Device, Buffer>();

/** Adapters' buffers are not marked as weights', so no device brings them over for a large batch. */
function bufferOn(device: Device): Buffer {
  const buffer = BUFFERS.get(device) ?? { device, usage: 'cache', repacked: false };
  BUFFERS.set(device, buffer);
  return buffer;
}

function refusedAdapter(reason: string): UsageError {
  return new UsageError(
    'LAUNCH_ADAPTER_MISMATCH',
    `llama.cpp refuses this adapter: ${reason}; name one that was made for this model.`,
  );
}

/** The factors as a graph multiplies with them; one graph owns them. */
export function adapterWeights(adapters: Adapters): AdapterWeights {
  const weights = new Map<string, LowRank[]>();
  for (const placed of adapters) {
    const factors = new Map(placed.map((factor) => [`${factor.weight}.${factor.factor}`, external(factor)]));
    for (const weight of new Set(placed.map((factor) => factor.weight))) {
      const [a, b] = [factors.get(`${weight}.a`), factors.get(`${weight}.b`)];
      if (a && b) weights.set(weight, [...(weights.get(weight) ?? []), { a, b }]);
    }
  }
  return weights;
}

function external({ tensor: { type, dims }, buffer }: PlacedFactor): Tensor {
  const [ne0 = 1, ne1 = 1, ne2 = 1, ne3 = 1] = dims;
  const tensor = new Tensor(type, [ne0, ne1, ne2, ne3], contiguousStrides(type, [ne0, ne1, ne2, ne3]));
  tensor.buffer = buffer;
  return tensor;
}

/** A layer's part of a control vector: `llama_adapter_cvec::init`. */
export function direction(nEmbd: number, device: Device): Tensor {
  const tensor = new Tensor(F32, [nEmbd, 1, 1, 1], contiguousStrides(F32, [nEmbd, 1, 1, 1]));
  tensor.buffer = bufferOn(device);
  return tensor;
}

/** `llama_adapter_lora::get_n_nodes`: nodes that a graph has room for beside those of the model. */
export function adapterNodes(adapters: Adapters): number {
  return adapters.reduce((sum, factors) => sum + 3 * factors.length, 0);
}
