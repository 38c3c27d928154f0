import type { KeepUntil } from '../backend.js';
import { elidable } from '../elidable.js';
import { isContiguousAboveRows, isEmptyOp, rootOf, type Tensor } from '../tensor.js';
import { BLOCK_CHOICE, EXPERT_CHOICES, KEPT_TOGETHER, mayFollow } from './patterns.js';

/** How far ahead nodes are looked for that can run beside the first (`NUM_TO_CHECK`), and what would be fused with one of them. */
const LOOK_AHEAD = 20;
const FUSED_WITHIN = 15;

/**
 * `ggml_vk_graph_optimize` (`ggml/src/ggml-vulkan/ggml-vulkan.cpp`, llama.cpp v0.5.0): moves nodes forward in place so that more of them
 * can run without waiting; what will be fused stays together, and what a choice of experts reads stays allocated.
 */
export function reorder(nodes: Tensor[], keepUntil: KeepUntil): void {
  const order = new Reordering(nodes, keepUntil).run();
  order.forEach((node, i) => (nodes[i] = node));
}

class Reordering {
  private readonly order: Tensor[] = [];
  private readonly used: boolean[];
  private readonly placed = new Set<Tensor>();
  private first = 0;

  constructor(
    private readonly nodes: readonly Tensor[],
    private readonly keepUntil: KeepUntil,
  ) {
    this.used = nodes.map(() => false);
  }

  run(): readonly Tensor[] {
    while (this.first < this.nodes.length) {
      if (this.keepsPattern()) continue;
      const taken = [this.first];
      const end = Math.min(this.first + LOOK_AHEAD, this.nodes.length);
      for (let j = this.first + 1; j < end; j++) if (this.canRunBeside(j, taken)) this.take(j, taken);
      // A sum's successor may be fused with it, which a view in between would prevent.
      if (this.at(taken.at(-1) as number).op !== 'ADD') this.takeViews(taken, end);
      this.place(taken);
    }
    return this.order;
  }

  private at(i: number): Tensor {
    return this.nodes[i] as Tensor;
  }

  private matches(pattern: readonly string[], start: number): boolean {
    if (start < 0 || start + pattern.length > this.nodes.length) return false;
    return pattern.every((op, i) => this.at(start + i).op === op && !this.used[start + i]);
  }

  /** A run that begins with the first node is placed whole. */
  private keepsPattern(): boolean {
    const choice = EXPERT_CHOICES.find((pattern) => this.matches(pattern, this.first));
    if (choice) this.keepInputs(choice.length);
    const found = choice ?? KEPT_TOGETHER.find((pattern) => this.matches(pattern, this.first));
    if (!found) return false;
    this.place(found.map((_, i) => this.first + i));
    return true;
  }

  private keepInputs(length: number): void {
    let last = this.first + length - 1;
    if (this.nodes[last + 1]?.op === 'SCALE') last++;
    const seen = new Set<Tensor>();
    for (const node of this.nodes.slice(this.first, this.first + length)) {
      for (const source of node.src) {
        if (!source || seen.has(source)) continue;
        seen.add(source);
        this.keepUntil(source, this.at(last));
      }
      seen.add(node);
    }
  }

  private place(indices: readonly number[]): void {
    for (const i of indices) {
      this.order.push(this.at(i));
      this.placed.add(this.at(i));
      this.used[i] = true;
    }
    while (this.used[this.first]) this.first++;
  }

  private canRunBeside(j: number, taken: readonly number[]): boolean {
    if (this.used[j] || isEmptyOp(this.at(j).op) || this.isProtected(j)) return false;
    const latest = taken.at(-1) as number;
    for (let c = this.first; c < j; c++) {
      if (this.used[c] || !isSourceOf(this.at(j), this.at(c))) continue;
      const follows = c === latest && mayFollow(this.at(c), this.at(j), j === c + 1, () => this.onlyViews(c + 1, j));
      if (!follows) return false;
    }
    return true;
  }

  private isProtected(j: number): boolean {
    if ([...EXPERT_CHOICES, ...KEPT_TOGETHER].some((pattern) => this.matches(pattern, j))) return true;
    return BLOCK_CHOICE.some((_, offset) => this.matches(BLOCK_CHOICE, j - offset));
  }

  private onlyViews(from: number, to: number): boolean {
    for (let i = from; i < to; i++) if (!this.used[i] && !isEmptyOp(this.at(i).op)) return false;
    return true;
  }

  /** A node, and what one kernel will compute with it. */
  private take(j: number, taken: number[]): void {
    taken.push(j);
    const node = this.at(j);
    const before = this.nodes[j - 1]?.op;
    let rotated = j;
    if (node.op === 'MUL' && before === 'RMS_NORM') {
      rotated = this.pull(j, taken, (next) => next.op === 'ROPE' && next.src[0] === node && isRotationReady(next)) ?? j;
    }
    if (['ROPE', 'RMS_NORM'].includes(this.at(rotated).op)) this.pullStore(rotated, taken);
    const reads = (next: Tensor): boolean => next.src[0] === node && this.isReady(next.src[1]);
    if (node.op === 'ADD_ID' && before === 'MUL_MAT_ID')
      this.pull(j, taken, (next) => next.op === 'MUL' && reads(next));
    if (node.op === 'ADD' && before === 'MUL_MAT') this.pull(j, taken, (next) => next.op === 'ADD' && reads(next));
    if (node.op === 'ADD' && before === 'SSM_CONV')
      this.pull(j, taken, (next) => next.op === 'UNARY' && next.src[0] === node);
    if (node.op === 'UNARY') this.pull(j, taken, (next) => this.isProductOf(next, node));
  }

  private pull(j: number, taken: number[], isWanted: (next: Tensor) => boolean): number | undefined {
    for (let k = j + 1; k < Math.min(j + FUSED_WITHIN, this.nodes.length); k++) {
      if (!isWanted(this.at(k))) continue;
      taken.push(k);
      this.used[k] = true;
      return k;
    }
    return undefined;
  }

  private isReady(tensor: Tensor | null | undefined): boolean {
    return tensor !== null && tensor !== undefined && (tensor.op === 'NONE' || this.placed.has(tensor));
  }

  private isProductOf(next: Tensor, node: Tensor): boolean {
    if (next.op !== 'MUL' || !next.src.includes(node)) return false;
    const other = next.src[0] === node ? next.src[1] : next.src[0];
    return this.isReady(other) && fusesWithProduct(node, next, other as Tensor);
  }

  /** The view of a result and the rows of a cache that it is written to. */
  private pullStore(from: number, taken: number[]): void {
    let view = -1;
    for (let k = from + 1; k < Math.min(from + FUSED_WITHIN, this.nodes.length); k++) {
      if (this.used[k]) continue;
      if (view < 0 && this.at(k).op === 'VIEW' && this.at(k).src[0] === this.at(from)) view = k;
      else if (view >= 0 && this.at(k).op === 'SET_ROWS' && this.at(k).src[0] === this.at(view)) {
        if (this.canStore(from, view, k)) {
          taken.push(view, k);
          this.used[view] = this.used[k] = true;
        }
        return;
      }
    }
  }

  private canStore(from: number, view: number, store: number): boolean {
    if (!elidable(this.nodes, [from, view, store], [2])) return false;
    for (let c = from + 1; c < store; c++) {
      if (this.used[c] || c === view || isEmptyOp(this.at(c).op)) continue;
      if (isSourceOf(this.at(store), this.at(c))) return false;
    }
    return true;
  }

  private takeViews(taken: number[], end: number): void {
    for (let j = this.first + 1; j < end; j++) {
      if (this.used[j] || !isEmptyOp(this.at(j).op)) continue;
      let isFree = true;
      for (let c = this.first; c < j && isFree; c++) {
        if (!this.used[c] && isSourceOf(this.at(j), this.at(c)) && !taken.includes(c)) isFree = false;
      }
      if (isFree) taken.push(j);
    }
  }
}

/** Whether a node has to wait for another that comes before it. */
function isSourceOf(node: Tensor, earlier: Tensor): boolean {
  if (node.src.includes(earlier)) return true;
  if (!isEmptyOp(node.op) && !isEmptyOp(earlier.op)) {
    if (node.src.some((source) => source && rootOf(source) === rootOf(earlier))) return true;
    if (earlier.src.some((source) => source && rootOf(source) === rootOf(node))) return true;
  }
  return rootOf(node) === rootOf(earlier);
}

function isRotationReady({ src: [, positions, factors] }: Tensor): boolean {
  return positions?.op === 'NONE' && (!factors || factors.op === 'NONE');
}

const FUSED_ACTIVATIONS = new Set(['gelu', 'sigmoid', 'silu', 'softplus']);

/** `ggml_vk_can_fuse_unary_mul`. */
function fusesWithProduct(unary: Tensor, product: Tensor, other: Tensor): boolean {
  if (!FUSED_ACTIVATIONS.has(unary.variant) || unary.type !== product.type || other.type !== unary.type) return false;
  const input = unary.src[0];
  if (!isContiguousAboveRows(other) || !input || !isContiguousAboveRows(input)) return false;
  return product.src[0] === unary ? repeatsInto(other, unary) : repeatsInto(unary, product.src[0] as Tensor);
}

/** `ggml_can_repeat`. */
function repeatsInto(small: Tensor, large: Tensor): boolean {
  return small.ne.every((n, i) => n > 0 && (large.ne[i] as number) % n === 0);
}
