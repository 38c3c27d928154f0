import type { GgufTensor } from '../../gguf/header.js';
import type { Hparams } from '../../model/hparams.js';
import type { ModelShape } from '../../model/model-shape.js';
import { type Buffer, I32 } from '../ggml/tensor.js';
import type { PlacedWeights } from '../weights/placed-weights.js';
import type { Placement } from '../weights/placement.js';
import type { WeightOp } from '../weights/weight-op.js';
import { numbered } from './fewest-layers.js';

/** What a plan looks at of a model's weights where they are placed. */
export interface SeenWeights {
  readonly layers: readonly LayerWeights[];
  /** The same for quantizations of one model of which a plan sees the same, but for what is in `types`. */
  readonly key: string;
  /** Of all weights. */
  readonly types: string;
}

/** What a layer's weights are, as far as its graph and the plan for it depend on it. */
interface LayerWeights {
  readonly known: number;
  /** Of those that stay where they are, which no plan looks at unless they are copied after all. */
  readonly types: string;
}

/** A weight but for its type and its place. */
interface NamedShape {
  readonly name: string;
  readonly dims: readonly number[];
  /** Where there are other numbers of layers, none of them has it. */
  readonly layer: number | undefined;
  readonly text: string;
  readonly hasTwin: boolean;
}

const SEEN = new WeakMap<Placement, SeenWeights>();
/** A model's quantizations have the same names and shapes. */
const NAMED = new WeakMap<Hparams, readonly NamedShape[]>();

export function seenWeights(shape: ModelShape, placement: Placement): SeenWeights {
  const seen = SEEN.get(placement) ?? lookedAt(shape, placement);
  SEEN.set(placement, seen);
  return seen;
}

/** Name, shape, place and what is looked at of the type of each layer's weights and of the others, and the types. */
function lookedAt(shape: ModelShape, placement: Placement): SeenWeights {
  const known = new Array<string>(shape.hparams.nLayer).fill('');
  const types = new Array<string>(shape.hparams.nLayer).fill('');
  let [otherKnown, otherTypes] = ['', ''];
  for (const part of placement.parts()) {
    const seen = SEEN_PARTS.get(part) ?? seenOfPart(part, shape, placement);
    SEEN_PARTS.set(part, seen);
    for (const stretch of seen) {
      const { layer } = stretch;
      if (layer === undefined) {
        otherKnown += stretch.known;
        otherTypes += stretch.types;
      } else {
        (known[layer] as string) += stretch.known;
        (types[layer] as string) += stretch.types;
      }
    }
  }
  const numbers = numbered(known.length, (layer) => known[layer] as string);
  return {
    layers: numbers.map((number, layer) => ({ known: number, types: types[layer] as string })),
    key: `${placement.devices} ${[...new Set(known)].join(' ')} ${numbers.join()} ${otherKnown}`,
    types: `${types.join(' ')} ${otherTypes}`,
  };
}

/** Of weights in a row of one layer, or of none, or one that predicts ahead. */
interface SeenStretch {
  readonly layer: number | undefined;
  known: string;
  types: string;
}

/** Launches that put a block on one device share its part. */
const SEEN_PARTS = new WeakMap<PlacedWeights, readonly SeenStretch[]>();

function seenOfPart({ weights }: PlacedWeights, shape: ModelShape, placement: Placement): readonly SeenStretch[] {
  const { tensors, indices } = weights;
  const shapes = namedShapes(shape);
  const stretches: SeenStretch[] = [];
  let last: SeenStretch | undefined;
  for (let i = 0; i < tensors.length; i++) {
    const tensor = tensors[i] as GgufTensor;
    const named = shapes[indices?.[i] ?? i] as NamedShape;
    if (last === undefined || last.layer !== named.layer)
      stretches.push((last = { layer: named.layer, known: '', types: '' }));
    last.known += named.text + seenOf(tensor, placement, named);
    last.types += `${tensor.type.name},`;
  }
  return stretches;
}

function seenOf(tensor: GgufTensor, placement: Placement, named: NamedShape): string {
  const weight = placement.named(tensor.name);
  const own = seenIn(placement.bufferOfNamed(tensor, weight), tensor, placement, weight.op, named);
  const head = placement.tiedHead(tensor);
  return head === undefined ? own : own + seenIn(head, tensor, placement, 'MUL_MAT', named);
}

function seenIn(buffer: Buffer, tensor: GgufTensor, placement: Placement, op: WeightOp, named: NamedShape): string {
  // Where the CPU alone computes, all are in one place, and nothing is copied.
  const place = placement.hasGpu ? `${buffer.device}:${buffer.repacked}:${buffer.apart === true}` : '';
  return `${place}:${knownOfType(tensor, placement, buffer, op, named)},`;
}

/** Weights on the host may be copied to a GPU, as repacked ones never are; what is not multiplied has to be of its result's type. */
function knownOfType(
  { type, dims }: GgufTensor,
  placement: Placement,
  { device, repacked }: Buffer,
  op: WeightOp,
  { layer, hasTwin }: NamedShape,
): string {
  const isProduct = op === 'MUL_MAT' || op === 'MUL_MAT_ID';
  // Rows of whatever type are read as floats.
  if (op === 'GET_ROWS' && layer === undefined && type !== I32) return placement.runners({ type, dims }, op);
  if (!isProduct || (placement.hasGpu && device === 'cpu' && !repacked)) return type.name;
  return placement.backendOn(device).typeTrait?.(type, op, hasTwin) ?? '';
}

/** What reads the same input in one shape, and never meets in a gated linear unit. */
const OF_ATTENTION = /^attn_[qkv]\.weight$/;

function namedShapes({ hparams, tensors }: ModelShape): readonly NamedShape[] {
  const before = NAMED.get(hparams);
  if (before !== undefined && isOf(before, tensors)) return before;
  const found = [...tensors.values()].map(({ name, dims }) => {
    const [, blocks = '', number, inBlock = name] = /^((?:enc\.|dec\.)?blk)\.(\d+)\.(.+)$/.exec(name) ?? [];
    const layer = number !== undefined && Number(number) < hparams.nLayer ? Number(number) : undefined;
    const own = layer === undefined ? name : `${blocks}.${inBlock}`;
    const twins = layer === undefined || OF_ATTENTION.test(inBlock) ? undefined : `${layer} ${dims.join('x')}`;
    return { name, dims, layer, text: `${own}:${dims.join('x')}:`, twins };
  });
  const counts = new Map<string | undefined, number>();
  for (const { twins } of found) counts.set(twins, (counts.get(twins) ?? 0) + 1);
  const shapes = found.map(({ twins, ...shape }) => ({
    ...shape,
    hasTwin: twins !== undefined && (counts.get(twins) as number) > 1,
  }));
  NAMED.set(hparams, shapes);
  return shapes;
}

function isOf(shapes: readonly NamedShape[], tensors: ModelShape['tensors']): boolean {
  if (shapes.length !== tensors.size) return false;
  let at = 0;
  for (const { name, dims } of tensors.values()) {
    const shape = shapes[at++] as NamedShape;
    if (shape.name !== name || shape.dims !== dims) return false;
  }
  return true;
}
