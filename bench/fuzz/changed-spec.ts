import type { Entry, GgufSpec, TensorEntry } from '../../test/support/models/gguf-writer.js';
import type { Random } from './random.js';

type Change = (spec: Whole, random: Random, keys: readonly Entry[]) => Partial<GgufSpec>;
type Whole = GgufSpec & { readonly metadata: readonly Entry[]; readonly tensors: readonly TensorEntry[] };

const TYPES = ['F32', 'F16', 'BF16', 'Q4_0', 'Q8_0', 'Q4_K', 'Q6_K', 'IQ2_XXS', 'MXFP4'];

/**
 * Wrong in one thing, or in several that go together, so that what reads a header is not the end of all: a header that
 * contradicts itself is refused early, one that agrees with itself is described, sized and judged.
 */
const CHANGES: readonly Change[] = [
  changedKey,
  changedKey,
  (spec, random, keys) => withKey(spec, random.pick(keys)),
  (spec, random, keys) => withKey(spec, changedEntry(random.pick(keys), random)),
  ({ metadata }, random) => ({ metadata: without(metadata, random.int(metadata.length)) }),
  (spec, random) => otherArchitecture(spec, random),
  (spec, random) => otherBlockCount(spec, random),
  (spec, random) => otherWidth(spec, random),
  ({ tensors }, random) => ({ tensors: without(tensors, random.int(tensors.length)) }),
  (spec, random) => changedTensor(spec, random, ({ dims }) => ({ dims: changedDims(dims, (dim) => dim * 2, random) })),
  (spec, random) =>
    changedTensor(spec, random, ({ dims }) => ({ dims: changedDims(dims, () => random.oddNumber(), random) })),
  (spec, random) =>
    changedTensor(spec, random, () => ({ type: random.int(2) === 0 ? random.int(64) : random.pick(TYPES) })),
  (spec, random) => changedTensor(spec, random, () => ({ offset: random.pick([0, 32, 2 ** 40, 2n ** 64n - 32n]) })),
  (spec, random) => otherTypes(spec, random),
  ({ tensors }, random) => ({ tensors: [...tensors, renamed(random.pick(tensors), random)] }),
];

/** A header with something changed; `keys` are those that it may get, with `{arch}` for its architecture. */
export function changedSpec(spec: GgufSpec, keys: readonly Entry[], random: Random): GgufSpec {
  const { metadata = [], tensors = [] } = spec;
  if (metadata.length === 0 || tensors.length === 0) return spec;
  return { ...spec, ...random.pick(CHANGES)({ ...spec, metadata, tensors }, random, keys) };
}

function without<T>(items: readonly T[], index: number): readonly T[] {
  return items.filter((_, at) => at !== index);
}

function architectureOf({ metadata }: Whole): string {
  return String(metadata.find(([key]) => key === 'general.architecture')?.[1]);
}

function withKey(spec: Whole, [key, value, type]: Entry): Partial<GgufSpec> {
  const own = key.replace('{arch}', architectureOf(spec));
  return { metadata: [...spec.metadata.filter(([known]) => known !== own), [own, value, type]] };
}

/** Of the architecture's own keys as often as of all. */
function changedKey({ metadata, ...spec }: Whole, random: Random): Partial<GgufSpec> {
  const start = `${architectureOf({ metadata, ...spec })}.`;
  const own = metadata.filter(([key]) => key.startsWith(start));
  const chosen = random.pick(own.length > 0 && random.int(2) === 0 ? own : metadata);
  return { metadata: metadata.map((entry) => (entry === chosen ? changedEntry(entry, random) : entry)) };
}

function changedEntry([key, value, type]: Entry, random: Random): Entry {
  if (typeof value === 'number' && random.int(8) === 0) {
    return random.pick<Entry>([
      [key, [value, value], '[u32]'],
      [key, value, 'f32'],
      [key, Math.trunc(value), 'i64'],
      [key, String(value), 'str'],
    ]);
  }
  if (typeof value === 'number' && !type.startsWith('f')) {
    const bits = type.endsWith('8') ? 8 : type.endsWith('16') ? 16 : 32;
    const odd = random.oddNumber(value);
    return [key, type.startsWith('u') ? Math.abs(odd) % 2 ** bits : Math.trunc(odd / 2) % 2 ** (bits - 1), type];
  }
  if (typeof value === 'number') return [key, random.pick([0, -1, NaN, Infinity, 1e38, -value]), type];
  if (typeof value === 'string') return [key, random.pick([`${value}x`, 'constructor', '', '\u001b[2J']), type];
  if (typeof value === 'object') return [key, changedList(value, random), type];
  return random.pick<Entry>([
    [`${key}x`, value, type],
    [key, value === false, type],
  ]);
}

function changedList<T>(list: readonly T[], random: Random): readonly T[] {
  const [at, from] = [random.int(list.length), random.int(list.length)];
  return random.pick([
    () => list.slice(1),
    () => [...list, ...list],
    () => list.map((item, index) => (index === at ? (list[from] ?? item) : item)),
    () => list.map((item) => (typeof item === 'number' ? (random.oddNumber(item) as T) : item)),
  ])();
}

/** Another architecture's name, with the keys under it: its loader is asked for what the file has. */
function otherArchitecture({ metadata, ...spec }: Whole, random: Random): Partial<GgufSpec> {
  const own = architectureOf({ metadata, ...spec });
  const other = random.pick([
    'llama',
    'qwen3',
    'qwen3moe',
    'gemma3',
    'phi3',
    'qwen2',
    'granite',
    'deepseek2',
    'mamba',
    'bert',
  ]);
  return {
    metadata: metadata.map(([key, value, type]): Entry => {
      if (key === 'general.architecture') return [key, other, type];
      return [key.startsWith(`${own}.`) ? other + key.slice(own.length) : key, value, type];
    }),
  };
}

const BLOCK = /^blk\.(\d+)\./;

/** Fewer or more blocks, in tensors and keys alike, or nearly. */
function otherBlockCount({ metadata, tensors }: Whole, random: Random): Partial<GgufSpec> {
  const blockOf = ({ name }: TensorEntry): number => Number(BLOCK.exec(name)?.[1] ?? -1);
  const count = Math.max(...tensors.map(blockOf)) + 1;
  if (count < 2) return {};
  const wanted = random.pick([1, count - 1, count + 1, count + random.int(2)]);
  const last = tensors.filter((tensor) => blockOf(tensor) === count - 1);
  const added = last.map((tensor) => ({ ...tensor, name: tensor.name.replace(BLOCK, `blk.${count}.`) }));
  return {
    metadata: metadata.map(([key, value, type]): Entry => [key, key.endsWith('.block_count') ? wanted : value, type]),
    tensors: [...tensors.filter((tensor) => blockOf(tensor) < wanted), ...(wanted > count ? added : [])],
  };
}

/** One size of the model, halved or doubled wherever it occurs. */
function otherWidth({ metadata, tensors, ...spec }: Whole, random: Random): Partial<GgufSpec> {
  const start = `${architectureOf({ metadata, tensors, ...spec })}.`;
  const widths = metadata.filter(([key, value]) => key.startsWith(start) && typeof value === 'number' && value >= 256);
  if (widths.length === 0) return {};
  const width = Number(random.pick(widths)[1]);
  const factor = random.pick(width % 2 === 0 ? [0.5, 2] : [2]);
  return {
    metadata: metadata.map(([key, value, type]): Entry => [key, value === width ? width * factor : value, type]),
    tensors: tensors.map((tensor) => ({
      ...tensor,
      dims: tensor.dims.map((dim) => (Number(dim) === width ? width * factor : dim)),
    })),
  };
}

/** All tensors of one type in another, as another quantization has them. */
function otherTypes({ tensors }: Whole, random: Random): Partial<GgufSpec> {
  const { type } = random.pick(tensors);
  const other = random.pick(TYPES);
  return { tensors: tensors.map((tensor) => (tensor.type === type ? { ...tensor, type: other } : tensor)) };
}

function changedTensor(
  { tensors }: Whole,
  random: Random,
  change: (tensor: TensorEntry) => Partial<TensorEntry>,
): Partial<GgufSpec> {
  const chosen = random.pick(tensors);
  return { tensors: tensors.map((tensor) => (tensor === chosen ? { ...tensor, ...change(tensor) } : tensor)) };
}

function changedDims(
  dims: TensorEntry['dims'],
  change: (dim: number) => number,
  random: Random,
): readonly (number | bigint)[] {
  return dims.map((dim) => (random.int(2) === 0 ? dim : change(Number(dim))));
}

function renamed(tensor: TensorEntry, random: Random): TensorEntry {
  const { name } = tensor;
  const block = name.replace(BLOCK, 'blk.0.');
  const names = [
    name,
    `${name}x`,
    'v.blk.0.attn_q.weight',
    'blk.600.attn_q.weight',
    block,
    name.replace('.weight', '.bias'),
  ];
  return { ...tensor, name: random.pick(names) };
}
