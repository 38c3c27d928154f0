import type { GgmlType } from '../../gguf/ggml-types.js';
import { UsageError } from '../../errors.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { ContextParams } from '../context/context-params.js';
import { type Device, type DeviceBytes, DeviceTally } from '../ggml/device.js';
import { contiguousStrides, type Four, pad } from '../ggml/tensor.js';
import type { Placement } from '../weights/placement.js';

const I32_BYTES = 4;
/** In the order in which llama.cpp lists a layer's experts: `llama_moe_cache_layer_experts`. */
const EXPERT_WEIGHTS: readonly string[] = ['ffn_gate_up_exps', 'ffn_gate_exps', 'ffn_up_exps', 'ffn_down_exps'];
const EXPERT_WEIGHT = /^blk\.(\d+)\.(ffn_(?:gate_up|gate|up|down)_exps)\.weight$/;

export interface CachedWeight {
  readonly type: GgmlType;
  readonly ne: Four;
}

/** Layers of one GPU whose experts have the same types and shapes share one place for the experts in use. */
interface Group {
  readonly device: Exclude<Device, 'cpu'>;
  readonly weights: ReadonlyMap<string, CachedWeight>;
  readonly layers: number[];
  readonly nExpert: number;
  hostBytes: number;
  /** Experts that have a place. */
  slots: number;
}

/** Where the experts of some layers are read in small batches. */
export interface CachedLayers {
  /** Layers with one number are alike. */
  readonly group: number;
  readonly device: Exclude<Device, 'cpu'>;
  readonly slots: number;
  readonly nExpert: number;
  /** By a weight's name without block and ending, such as `ffn_up_exps`. */
  readonly weights: ReadonlyMap<string, CachedWeight>;
}

/** What `--moe-cache-mib` holds: `llama_moe_cache` (`src/llama-moe-cache.cpp`, llama.cpp v0.8.0). */
export interface ExpertCache {
  readonly bytes: DeviceBytes;
  /** By the block; experts of others are read on the host. */
  readonly layers: ReadonlyMap<number, CachedLayers>;
}

/**
 * The experts that lie on the host and are kept a second time on the GPU that their layer belongs to; null where there are none
 * or the launch asks for none.
 * @throws UsageError LAUNCH_EXPERT_CACHE where llama.cpp refuses to start
 */
export function createExpertCache(
  shape: ModelShape,
  params: Pick<ContextParams, 'expertCacheBytes'>,
  placement: Placement,
): ExpertCache | null {
  const { hparams } = shape;
  const size = params.expertCacheBytes;
  if (size === 0) return null;
  const mostUsed = Math.max(0, ...hparams.nExpertUsed);
  if (!placement.hasGpu) throw refusedCache('there is no GPU to keep experts on', 'leave it out');
  if (hparams.nExpert === 0 || mostUsed === 0) throw refusedCache('the model has no experts', 'leave it out');
  const groups = groupsOf(placement);
  if (groups.length === 0) return null;
  shareOut(groups, size, mostUsed, placement);
  if (groups.every(({ slots }) => slots === 0)) {
    throw refusedCache('it is too small for the experts of one token', 'give it more');
  }
  return { bytes: cacheBytes(groups, placement), layers: cachedLayers(groups) };
}

function cacheBytes(groups: readonly Group[], placement: Placement): DeviceBytes {
  const bytes = new DeviceTally();
  const { alignment } = placement.backendOn('cpu');
  for (const { device, weights, layers, nExpert, slots } of groups) {
    if (slots === 0) continue;
    for (const { type, ne } of weights.values()) {
      bytes.add(device, placement.copiedBytes({ type, dims: [ne[0], ne[1], slots + 1] }, device));
    }
    // Of each layer, the place of every expert.
    bytes.add('cpu', layers.length * pad(nExpert * I32_BYTES, alignment));
  }
  return bytes;
}

function cachedLayers(groups: readonly Group[]): ReadonlyMap<number, CachedLayers> {
  return new Map(
    groups.flatMap(({ layers, ...group }, index) =>
      group.slots === 0 ? [] : layers.map((layer) => [layer, { ...group, group: index }] as const),
    ),
  );
}

function refusedCache(reason: string, remedy: string): UsageError {
  return new UsageError('LAUNCH_EXPERT_CACHE', `llama.cpp refuses --moe-cache-mib: ${reason}; ${remedy}.`);
}

/** Layers with all of their experts in plain host memory, which repacked weights are not. */
function groupsOf(placement: Placement): Group[] {
  const groups: Group[] = [];
  for (const [layer, experts] of expertsByLayer(placement)) {
    const device = placement.layerDevice(layer);
    if (device === 'cpu' || !experts.every(({ onHost }) => onHost)) continue;
    const weights = new Map(experts.map(({ name, weight }) => [name, weight]));
    let group = groups.find((known) => known.device === device && sameLayout(known.weights, weights));
    if (!group) {
      group = { device, weights, layers: [], nExpert: experts[0]?.weight.ne[2] ?? 0, hostBytes: 0, slots: 0 };
      groups.push(group);
    }
    group.layers.push(layer);
    group.hostBytes += experts.reduce((sum, { bytes }) => sum + bytes, 0);
  }
  return groups;
}

interface HeldWeight {
  readonly name: string;
  readonly weight: CachedWeight;
  readonly bytes: number;
  readonly onHost: boolean;
}

function expertsByLayer(placement: Placement): [number, HeldWeight[]][] {
  const layers = new Map<number, HeldWeight[]>();
  for (const { tensor, buffer } of placement.loaded()) {
    const { name: full, type, dims, bytes } = tensor;
    const [, block, name] = EXPERT_WEIGHT.exec(full) ?? [];
    if (block === undefined || name === undefined) continue;
    const weight: CachedWeight = { type, ne: [dims[0] ?? 1, dims[1] ?? 1, dims[2] ?? 1, dims[3] ?? 1] };
    const onHost = buffer.device === 'cpu' && !buffer.repacked;
    layers.set(Number(block), [...(layers.get(Number(block)) ?? []), { name, weight, bytes, onHost }]);
  }
  const order = ({ name }: HeldWeight): number => EXPERT_WEIGHTS.indexOf(name);
  return [...layers]
    .sort(([a], [b]) => a - b)
    .map(([layer, experts]) => [layer, experts.sort((a, b) => order(a) - order(b))]);
}

function sameLayout(a: Group['weights'], b: Group['weights']): boolean {
  const text = (weights: Group['weights']): string =>
    [...weights].map(([name, { type, ne }]) => `${name} ${type.name} ${ne.join()}`).join();
  return text(a) === text(b);
}

/** The budget goes to the GPUs as layers do, and on each to its groups by the size of their experts. */
function shareOut(groups: readonly Group[], size: number, mostUsed: number, placement: Placement): void {
  const devices = [...new Set(groups.map(({ device }) => device))];
  const hostBytesOf = (on: Device): number =>
    groups.filter(({ device }) => device === on).reduce((sum, { hostBytes }) => sum + hostBytes, 0);
  const shares = new Map(devices.map((device) => [device, placement.shareOf(device)]));
  const sum = [...shares.values()].reduce((a, b) => a + b, 0);
  for (const group of groups) {
    const share = sum === 0 ? 1 / devices.length : (shares.get(group.device) ?? 0) / sum;
    const budget = Math.floor((size * share * group.hostBytes) / hostBytesOf(group.device));
    const slots = largest(group.layers.length * group.nExpert, (n) => bankBytes(group, n, placement) <= budget);
    group.slots = slots < mostUsed ? 0 : slots;
  }
}

/** The largest number up to `most` that fits; 0 if none does. */
function largest(most: number, fits: (n: number) => boolean): number {
  let [low, high] = [0, most];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** One expert more than is used, for kernels read past the last. */
function bankBytes({ device, weights }: Group, slots: number, placement: Placement): number {
  const { alignment } = placement.backendOn(device);
  return [...weights.values()].reduce(
    (sum, { type, ne }) => sum + pad(contiguousStrides(type, ne)[2] * (slots + 1), alignment),
    0,
  );
}
