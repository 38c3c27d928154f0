import type { RecurrentCache } from '../../caches/cache.js';
import * as ggml from '../../ggml/ops/ops.js';
import { I32, type Tensor } from '../../ggml/tensor.js';
import type { GraphBuilder } from '../builder.js';
import { graphError } from '../../ggml/graph-error.js';

/** `llm_graph_input_rs`: which row of the recurrent cache each sequence continues from. */
export interface RecurrentInput {
  readonly cache: RecurrentCache;
  /** Of the sequences in the batch. */
  readonly rows: Tensor;
  /** Of those that are only moved along; none while memory is planned. */
  readonly extraRows: Tensor;
  /** Of both, and without the first. */
  readonly allRows: Tensor;
  readonly otherRows: Tensor;
}

/** A layer's rows of the recurrent cache: [state size, sequences]. */
export interface LayerStates {
  readonly conv: Tensor;
  readonly state: Tensor;
}

/** `build_rs_inp` (`src/llama-graph.cpp`, llama.cpp v0.5.0). */
export function recurrentInput(g: GraphBuilder): RecurrentInput {
  const cache = g.memory.recurrent;
  if (!cache) throw graphError('a recurrent layer needs a recurrent cache');
  const rows = ggml.newInput(I32, cache.rows);
  return {
    cache,
    rows: ggml.view1d(rows, g.nSeqs, 0),
    extraRows: ggml.view1d(rows, cache.rows - g.nSeqs, g.nSeqs * rows.nb[0]),
    allRows: rows,
    otherRows: ggml.view1d(rows, cache.rows - 1, rows.nb[0]),
  };
}

export function layerStates(g: GraphBuilder, { cache }: RecurrentInput, layer: number): LayerStates {
  const own = cache.layers.get(layer);
  if (!own) throw graphError(`layer ${layer} has no recurrent state`);
  return { conv: g.cacheTensor(own.conv), state: g.cacheTensor(own.state) };
}

/**
 * `build_rs`: clears a row for new sequences and gathers the batch's rows, or lets an op read them in place. From
 * b11369..b11393 on the rows that are only moved are gathered together with them (`statesGatheredOnce`).
 */
export function loadStates(
  g: GraphBuilder,
  input: RecurrentInput,
  states: Tensor,
  readInPlace?: (states: Tensor, rows: Tensor) => Tensor,
): Tensor {
  const [size] = states.ne;
  const count = input.cache.rows;
  const flat = ggml.reshape(states, size, states.ne[1]);
  g.expand(ggml.scaleInplace(ggml.view1d(flat, size, 0)));
  const { loaded, moved } = g.params.llama.statesGatheredOnce
    ? gatheredOnce(g, input, flat, readInPlace)
    : gatheredApart(g, input, flat, readInPlace);
  g.expand(ggml.cpy(moved(), ggml.view2d(states, size, count - g.nSeqs, states.nb[1], g.nSeqs * states.nb[1])));
  return loaded;
}

type ReadInPlace = Parameters<typeof loadStates>[3];

interface Gathered {
  readonly loaded: Tensor;
  readonly moved: () => Tensor;
}

function gatheredApart(
  g: GraphBuilder,
  { rows, extraRows }: RecurrentInput,
  flat: Tensor,
  read: ReadInPlace,
): Gathered {
  return { loaded: g.expand((read ?? ggml.getRows)(flat, rows)), moved: () => ggml.getRows(flat, extraRows) };
}

function gatheredOnce(g: GraphBuilder, input: RecurrentInput, flat: Tensor, read: ReadInPlace): Gathered {
  const [size] = flat.ne;
  const count = input.cache.rows;
  const skipped = read ? 1 : 0;
  const all = ggml.getRows(flat, read ? input.otherRows : input.allRows);
  const some = (n: number, from: number): Tensor => ggml.view2d(all, size, n, all.nb[1], from * all.nb[1]);
  const loaded = g.expand(read ? read(flat, input.rows) : some(g.nSeqs, 0));
  return { loaded, moved: () => some(count - g.nSeqs, g.nSeqs - skipped) };
}

/**
 * The kernel's look-back before the batch's tokens: [look-back + tokens, channels, sequences]; its end is stored for the
 * next batch, in qwen4exp as a copy (`build_conv_state_at`). `current`: [tokens, channels, sequences].
 */
export function convolutionWindow(
  g: GraphBuilder,
  input: RecurrentInput,
  states: Tensor,
  current: Tensor,
  lookBack: number,
  copied = false,
): Tensor {
  const channels = current.ne[1];
  const past = ggml.reshape(loadStates(g, input, states), lookBack, channels, g.nSeqs);
  const window = ggml.concat(past, current, 0);
  for (const { back, slot } of statesStored(g)) storeWindow(g, states, window, lookBack, { back, slot, copied });
  return window;
}

/** Which states are stored, in order: how many tokens back, and in which group of the cache's rows. */
interface StoredState {
  readonly back: number;
  readonly slot: number;
}

/**
 * `build_conv_state` (`src/models/delta-net-base.cpp`) writes all states from the oldest on, the others
 * (`src/models/mamba-base.cpp`, `lfm2.cpp`) those that the batch has tokens for, from the newest on.
 */
function statesStored({ params: { role }, nSeqTokens, shape }: GraphBuilder): StoredState[] {
  const slots = Array.from({ length: 1 + role.statesKept }, (_, slot) => ({ slot, back: slot }));
  if (shape.architecture === ALL_STATES) return slots;
  return OLDEST_STATE_FIRST.has(shape.architecture) ? slots.reverse() : slots.slice(0, nSeqTokens);
}

/** `build_conv_state_at` (`src/models/qwen4exp.cpp`) writes all, from the newest on. */
const ALL_STATES = 'qwen4exp';
const OLDEST_STATE_FIRST: ReadonlySet<string> = new Set(['qwen35', 'qwen35moe', 'bailingmoe3', 'kimi-k3']);

/** `lookBack` columns of a window, the last ones or some tokens before, become the state. */
export function storeWindow(
  g: GraphBuilder,
  states: Tensor,
  window: Tensor,
  lookBack: number,
  { back = 0, slot = 0, copied = false }: Partial<StoredState> & { readonly copied?: boolean } = {},
): void {
  const [columns, channels, sequences] = window.ne;
  const offset = Math.max(0, columns - lookBack - back) * window.nb[0];
  const place = slot * (g.memory.recurrent?.rows ?? 0) * states.nb[1];
  const last = ggml.view3d(window, [lookBack, channels, sequences], window.nb[1], window.nb[2], offset);
  g.expand(
    ggml.cpy(copied ? ggml.cont(last) : last, ggml.view2d(states, lookBack * channels, sequences, states.nb[1], place)),
  );
}
