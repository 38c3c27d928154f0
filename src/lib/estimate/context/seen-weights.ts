import type { GgmlType } from '../../gguf/ggml-types.js';
import type { GgufTensor } from '../../gguf/header.js';
import type { Hparams } from '../../model/hparams.js';
import type { ModelShape } from '../../model/model-shape.js';
import { type Buffer, I32 } from '../ggml/tensor.js';
import type { PlacedWeights } from '../weights/placed-weights.js';
import type { Placement } from '../weights/placement.js';
import { type NamedWeight, namedWeights } from '../weights/tensor-position.js';
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
  /** Where there are other numbers of layers, none of them has it. */
  readonly layer: number | undefined;
  /** A number for its shape and its name, in whatever layer. */
  readonly number: number;
  readonly hasTwin: boolean;
}

const SEEN = new WeakMap<Placement, SeenWeights>();

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
  const look = new Look(shape, placement);
  for (const part of placement.parts()) {
    const seen = SEEN_PARTS.get(part) ?? look.at(part);
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

/** What is seen of the weight before of one name and shape: most layers have the same weights as the one before. */
interface Before {
  readonly type: GgmlType;
  readonly buffer: Buffer;
  readonly hasTwin: boolean;
  readonly known: number;
}

class Look {
  private readonly shapes: readonly NamedShape[];
  private readonly numbers: Numbers;
  private readonly before: Before[] = [];

  constructor(
    shape: ModelShape,
    private readonly placement: Placement,
  ) {
    this.numbers = numbersOf(shape);
    this.shapes = namedShapes(shape);
  }

  at({ weights: { tensors, named, indices }, loaded }: PlacedWeights): readonly SeenStretch[] {
    let next = 0;
    const stretches: SeenStretch[] = [];
    let last: SeenStretch | undefined;
    for (let i = 0; i < tensors.length; i++) {
      const tensor = tensors[i] as GgufTensor;
      const shape = this.shapes[indices?.[i] ?? i] as NamedShape;
      if (last === undefined || last.layer !== shape.layer)
        stretches.push((last = { layer: shape.layer, known: '', types: '' }));
      let buffer: Buffer | undefined;
      for (; loaded[next]?.tensor === tensor; next++) buffer ??= loaded[next]?.buffer;
      last.known += `${this.seenOf(tensor, named[i] as NamedWeight, shape, buffer)},`;
      last.types += `${tensor.type.name},`;
    }
    return stretches;
  }

  /**
   * A number for a weight's name and shape, its place, and what is looked at of its type.
   * @param loaded where it is loaded, if it is
   */
  private seenOf(
    tensor: GgufTensor,
    named: NamedWeight,
    { number, layer, hasTwin }: NamedShape,
    loaded: Buffer | undefined,
  ): number {
    const { placement } = this;
    const buffer = loaded ?? placement.bufferOfNamed(tensor, named);
    const before = layer === undefined ? undefined : this.before[number];
    if (before?.type === tensor.type && before.buffer === buffer && before.hasTwin === hasTwin) return before.known;
    const own = seenIn(buffer, tensor, placement, named.op, { layer, hasTwin });
    const head = placement.tiedHead(tensor);
    const also = head === undefined ? '' : seenIn(head, tensor, placement, 'MUL_MAT', { layer, hasTwin });
    const known = this.numbers.of(`${number}:${own}${also}`);
    this.before[number] = { type: tensor.type, buffer, hasTwin, known };
    return known;
  }
}

function seenIn(
  buffer: Buffer,
  tensor: GgufTensor,
  placement: Placement,
  op: WeightOp,
  named: Pick<NamedShape, 'layer' | 'hasTwin'>,
): string {
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
  { layer, hasTwin }: Pick<NamedShape, 'layer' | 'hasTwin'>,
): string {
  const isProduct = op === 'MUL_MAT' || op === 'MUL_MAT_ID';
  // Rows of whatever type are read as floats.
  if (op === 'GET_ROWS' && layer === undefined && type !== I32) return placement.runners({ type, dims }, op);
  if (!isProduct || (placement.hasGpu && device === 'cpu' && !repacked)) return type.name;
  return placement.backendOn(device).typeTrait?.(type, op, hasTwin) ?? '';
}

/** Numbers for texts. */
class Numbers {
  private readonly known = new Map<string, number>();

  of(text: string): number {
    const number = this.known.get(text) ?? this.known.size;
    this.known.set(text, number);
    return number;
  }
}

/** They mean the same for all quantizations of a model. */
const NUMBERS = new WeakMap<Hparams, Numbers>();

function numbersOf({ hparams }: ModelShape): Numbers {
  const numbers = NUMBERS.get(hparams) ?? new Numbers();
  NUMBERS.set(hparams, numbers);
  return numbers;
}

/** By what a model's quantizations share. */
const SHAPES = new WeakMap<readonly NamedWeight[], readonly NamedShape[]>();

function namedShapes(shape: ModelShape): readonly NamedShape[] {
  const weights = namedWeights(shape);
  const shapes = SHAPES.get(weights) ?? findShapes(weights, shape);
  SHAPES.set(weights, shapes);
  return shapes;
}

/** What reads the same input in one shape, and never meets in a gated linear unit. */
const OF_ATTENTION = /^(?:enc\.|dec\.)?blk\.\d+\.attn_[qkv]\.weight$/;

function findShapes(weights: readonly NamedWeight[], shape: ModelShape): readonly NamedShape[] {
  const numbers = numbersOf(shape);
  const counts = new Map<string, number>();
  const found = weights.map(({ name, dims, layer: block, kind }) => {
    const layer = block !== undefined && block < shape.hparams.nLayer ? block : undefined;
    // Blocks of an encoder and of a decoder say in front which they are.
    const own = layer === undefined ? name : name.slice(0, name.indexOf('blk.'));
    const twins = layer === undefined || OF_ATTENTION.test(name) ? undefined : `${layer} ${dims.join('x')}`;
    if (twins !== undefined) counts.set(twins, (counts.get(twins) ?? 0) + 1);
    return { layer, number: numbers.of(`${own} ${kind}`), twins };
  });
  return found.map(({ twins, ...named }) => ({
    ...named,
    hasTwin: twins !== undefined && (counts.get(twins) as number) > 1,
  }));
}
