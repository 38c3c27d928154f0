import { printable } from '../../printable.js';
import { refusedByLoader } from '../loading/load-error.js';
import type { ModelShape } from '../model-shape.js';
import type { Scope } from './expression.js';
import type { Row, TensorRow } from './rows.js';
import { symbolValue } from './symbols.js';

/** How many of the tensors that are left over a message names. */
const MOST_NAMED = 3;

/** Weights that may bring factors for their values or their inputs along: the generic pass of `load_tensors`. */
const SCALED =
  /^((?:blk\.\d+\.)?(?:attn_(?:q|k|v|output|qkv|gate)|ffn_(?:gate|down|up)(?:_exps|_shexp)?|ssm_(?:in|out|alpha|beta)|nextn\.(?:eh_proj|shared_head_head)|output))\.(?:input_)?scale$/;

/**
 * Holds a model's tensors against those that its architecture loads: each there, of the shape that the hyperparameters
 * give it, and none left over. Mirrors `llama_model_base::load_tensors` (`src/llama-model.cpp`), `check_tensor_dims` and
 * `done_getting_tensors` (`src/llama-model-loader.cpp`, llama.cpp v0.5.0).
 * @throws CheckIncompleteError in llama.cpp's words
 */
export function loadTensors(shape: ModelShape, rows: readonly Row[]): void {
  const used = new Set<string>();
  run(rows, new LayerScope(shape, 0, undefined), used);
  const left = [...shape.tensors.keys()].filter((name) => !used.has(name) && !isFactor(name, shape, used));
  if (left.length === 0) return;
  const { size } = shape.tensors;
  const named = left.slice(0, MOST_NAMED).map(printable).join(', ');
  throw refusedByLoader(
    'MODEL_TENSOR_UNUSED',
    `wrong number of tensors; expected ${size}, got ${size - left.length}: ${shape.architecture} has no use for ${named}` +
      (left.length > MOST_NAMED ? ` and ${left.length - MOST_NAMED} more` : ''),
  );
}

function run(rows: readonly Row[], scope: LayerScope, used: Set<string>): void {
  for (const row of rows) {
    switch (row.kind) {
      case 'tensor':
        create(row, scope, used);
        break;
      case 'let':
        scope.define(row.name, row.value(scope));
        break;
      case 'if':
        run(row.test(scope) !== 0 ? row.then : row.otherwise, scope.inner(), used);
        break;
      case 'each':
        for (let layer = row.from(scope); layer < row.to(scope); layer++) run(row.body, scope.inner(layer), used);
        break;
      case 'refuse':
        if (row.test(scope) !== 0) throw refusedByLoader('MODEL_COUNT_INVALID', row.reason);
    }
  }
}

function create({ name: pattern, dims, optional, reshaped }: TensorRow, scope: LayerScope, used: Set<string>): void {
  const name = scope.nameOf(pattern);
  const tensor = scope.shape.tensors.get(name);
  if (tensor === undefined) {
    if (optional(scope) !== 0) return;
    throw refusedByLoader('MODEL_TENSOR_MISSING', `tensor '${name}' not found`);
  }
  const expected = dims.map((dim) => dim(scope));
  const isSame = reshaped ? product(expected) === product(tensor.dims) : isSameShape(expected, tensor.dims);
  if (!isSame) {
    const [wanted, found] = [expected.join(', '), tensor.dims.join(', ')];
    throw refusedByLoader('MODEL_TENSOR_SHAPE', `tensor '${name}' has wrong shape; expected ${wanted}, got ${found}`);
  }
  used.add(name);
}

/** Shapes are padded with 1. */
function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < 4; i++) if ((a[i] ?? 1) !== (b[i] ?? 1)) return false;
  return true;
}

function product(dims: readonly number[]): number {
  return dims.reduce((a, b) => a * b, 1);
}

function isFactor(name: string, { tensors, hparams }: ModelShape, used: ReadonlySet<string>): boolean {
  const weight = SCALED.exec(name)?.[1];
  if (weight === undefined || !used.has(`${weight}.weight`) || !tensors.has(`${weight}.weight`)) return false;
  return isSameShape(tensors.get(name)?.dims ?? [], [weight.endsWith('_exps') ? hparams.nExpert : 1]);
}

/** Values by name: those defined on the way, then the model's. */
class LayerScope implements Scope {
  readonly #defined = new Map<string, number>();

  constructor(
    readonly shape: ModelShape,
    private readonly layer: number,
    private readonly outer: LayerScope | undefined,
  ) {}

  inner(layer = this.layer): LayerScope {
    return new LayerScope(this.shape, layer, this);
  }

  define(name: string, value: number): void {
    this.#defined.set(name, value);
  }

  nameOf(pattern: string): string {
    return pattern.replace('blk.*.', `blk.${this.layer}.`).replace('.*.', `.${this.layer}.`);
  }

  shapeOf(pattern: string): readonly number[] | undefined {
    return this.shape.tensors.get(this.nameOf(pattern))?.dims;
  }

  valueOf(name: string, ofLayer: boolean): number {
    if (name === 'i') return this.layer;
    if (name === 'true' || name === 'false') return Number(name === 'true');
    const value = (ofLayer ? undefined : this.lookUp(name)) ?? symbolValue(name, this.shape, ofLayer ? this.layer : 0);
    if (value === undefined) throw new Error(`no hyperparameter ${name}`);
    return value;
  }

  private lookUp(name: string): number | undefined {
    return this.#defined.get(name) ?? this.outer?.lookUp(name);
  }
}
