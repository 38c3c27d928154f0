import type { Op, Tensor } from '../tensor.js';

type Pattern = readonly Op[];

const NORMALISED: Pattern = ['RESHAPE', 'SUM_ROWS', 'CLAMP', 'DIV', 'RESHAPE'];
const CHOSEN: Pattern = ['ARGSORT', 'VIEW', 'GET_ROWS'];

/** Runs that choose experts in one kernel: `topk_moe_*` (`ggml/src/ggml-vulkan/ggml-vulkan-types.h`, llama.cpp v0.5.0), in order. */
export const EXPERT_CHOICES: readonly Pattern[] = [
  ['SOFT_MAX', 'RESHAPE', ...CHOSEN, ...NORMALISED],
  ['UNARY', 'RESHAPE', 'ADD', ...CHOSEN, ...NORMALISED],
  ['UNARY', 'SQRT', 'RESHAPE', 'ADD', ...CHOSEN, ...NORMALISED],
  ['SOFT_MAX', 'RESHAPE', ...CHOSEN],
  [...CHOSEN, 'RESHAPE', 'SOFT_MAX', 'RESHAPE'],
];

/** Of attention over chosen blocks. No node of it is taken out. */
export const BLOCK_CHOICE: Pattern = ['GET_ROWS', 'PERMUTE', 'CONT', 'CPY', 'RESHAPE', 'ADD', 'TOP_K'];

/** Other runs that stay together, in the order in which they are tried. */
export const KEPT_TOGETHER: readonly Pattern[] = [
  ['MUL', 'SIN', 'SQR', 'MUL', 'ADD'],
  BLOCK_CHOICE,
  ['RMS_NORM', 'MUL', 'ADD', 'MUL'],
  ['RMS_NORM', 'MUL', 'ADD'],
  ['RMS_NORM', 'MUL', 'ROPE', 'VIEW', 'SET_ROWS'],
  ['RMS_NORM', 'VIEW', 'SET_ROWS'],
  ['ROPE', 'VIEW', 'SET_ROWS'],
];

/** Two neighbours, the second of which may follow although it reads the first. */
const FOLLOWS: ReadonlySet<string> = new Set([
  'MUL_MAT ADD',
  'MUL_MAT_ID ADD_ID',
  'MUL_MAT_ID MUL',
  'ADD ADD',
  'SSM_CONV ADD',
  'SSM_CONV UNARY',
]);
/** The same with views between them. */
const FOLLOWS_OVER_VIEWS: ReadonlySet<string> = new Set(['RMS_NORM MUL', 'UNARY MUL']);

export function mayFollow(first: Tensor, second: Tensor, adjacent: boolean, onlyViewsBetween: () => boolean): boolean {
  const ops = `${first.op} ${second.op}`;
  return (adjacent && FOLLOWS.has(ops)) || (FOLLOWS_OVER_VIEWS.has(ops) && onlyViewsBetween());
}
