import type { GgufTensor } from '../../gguf/header.js';
import type { Buffer } from '../ggml/tensor.js';

/** Keeps the files of a model apart; larger than any. */
const FILE_SPACING = 2 ** 44;

interface Range {
  start: number;
  end: number;
}

/**
 * One range for each file and buffer, from the first to the last tensor (`llama_model_loader::get_mapping_range`), and one
 * more for each tensor that is read on demand. From b11549..b11739 on each tensor has its own (`get_mapping_ranges`). Those
 * that touch are kept as one.
 */
export class RangeList {
  private readonly byBuffer = new Map<Buffer, Range[]>();
  private readonly single: Range[] = [];

  include({ file, offsetBytes, bytes }: GgufTensor, buffer: Buffer, alone: boolean): void {
    const start = file * FILE_SPACING + offsetBytes;
    const end = start + bytes;
    if (alone) this.push(start, end);
    else this.extend(buffer, file, start, end);
  }

  includeAll({ byBuffer, single }: RangeList): void {
    for (const [buffer, byFile] of byBuffer)
      byFile.forEach(({ start, end }, file) => this.extend(buffer, file, start, end));
    for (const { start, end } of single) this.push(start, end);
  }

  private extend(buffer: Buffer, file: number, start: number, end: number): void {
    const byFile = this.byBuffer.get(buffer) ?? [];
    this.byBuffer.set(buffer, byFile);
    const range = (byFile[file] ??= { start, end });
    range.start = Math.min(range.start, start);
    range.end = Math.max(range.end, end);
  }

  private push(start: number, end: number): void {
    const last = this.single.at(-1);
    if (last?.end === start) last.end = end;
    else this.single.push({ start, end });
  }

  bytes(): number {
    return unionBytes(this.ranges());
  }

  /** Each byte of the files counted once. */
  unionBytes(other: RangeList): number {
    return unionBytes([...this.ranges(), ...other.ranges()]);
  }

  private ranges(): Range[] {
    return [...[...this.byBuffer.values()].flat(), ...this.single];
  }
}

function unionBytes(ranges: readonly Range[]): number {
  let end = 0;
  let sum = 0;
  for (const range of ranges.toSorted((a, b) => a.start - b.start)) {
    sum += Math.max(0, range.end - Math.max(end, range.start));
    end = Math.max(end, range.end);
  }
  return sum;
}
