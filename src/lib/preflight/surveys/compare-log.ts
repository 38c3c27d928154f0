import { type PrintedBuffer, printedBuffers } from '../../estimate/printed-buffers.js';
import type { EstimatePart, MemoryEstimate } from '../../estimate/memory-estimate.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import type { LoggedBuffer, LoggedKind, ServerLog } from '../../runtime/server-log.js';

const MIB = 2 ** 20;
/** A line is rounded to hundredths of a mebibyte. */
const ROUNDING_BYTES = 0.005 * MIB;
/** For sums of what was rounded in binary and in decimal. */
const SLACK_BYTES = 1;

type Place = Pick<EstimatePart, 'name' | 'device' | 'gpu'>;

/** One kind of buffer on one device: what llama.cpp printed, and what is estimated. */
export interface ComparedBuffer extends Place {
  /** The sum of the printed lines; 0 where there is none. */
  readonly printedBytes: number;
  readonly estimatedBytes: number;
  /** Estimated less printed; 0 where rounding explains it. */
  readonly differenceBytes: number;
}

const PARTS: Readonly<Record<Exclude<LoggedKind, 'model'>, EstimatePart['name']>> = {
  KV: 'kv-cache',
  RS: 'recurrent-state',
  MoE: 'expert-cache',
  compute: 'compute',
  output: 'output',
};

/**
 * A server's own figures against the estimate of the same launch, part by part.
 * @param estimate of the model's contexts, where it was made already
 * @throws UsageError, CheckIncompleteError as `estimateMemory` does
 */
export function compareLog(
  { buffers }: ServerLog,
  shape: ModelShape,
  launch: LaunchOptions,
  estimate?: Pick<MemoryEstimate, 'parts'>,
): readonly ComparedBuffer[] {
  const ours = new Map<string, PrintedBuffer>();
  for (const buffer of printedBuffers(shape, launch, estimate)) {
    const bytes = buffer.bytes + (ours.get(keyOf(buffer))?.bytes ?? 0);
    ours.set(keyOf(buffer), { ...buffer, bytes });
  }
  const severalGpus = [...ours.values()].some(({ gpu }) => gpu !== undefined);
  const theirs = new Map<string, Place & { mebibytes: number; lines: number }>();
  for (const logged of buffers) {
    const place = placeOf(logged, severalGpus);
    const known = theirs.get(keyOf(place)) ?? { ...place, mebibytes: 0, lines: 0 };
    theirs.set(keyOf(place), { ...known, mebibytes: known.mebibytes + logged.mebibytes, lines: known.lines + 1 });
  }
  return [...new Set([...ours.keys(), ...theirs.keys()])].map((key) => {
    const printed = theirs.get(key);
    const { name, device, gpu } = (ours.get(key) ?? printed) as Place;
    const estimatedBytes = ours.get(key)?.bytes ?? 0;
    const printedBytes = Math.round((printed?.mebibytes ?? 0) * MIB);
    const difference = estimatedBytes - (printed?.mebibytes ?? 0) * MIB;
    const isRounding = Math.abs(difference) <= ROUNDING_BYTES * Math.max(1, printed?.lines ?? 0) + SLACK_BYTES;
    const differenceBytes = isRounding ? 0 : Math.round(difference);
    return { name, device, ...(gpu !== undefined && { gpu }), printedBytes, estimatedBytes, differenceBytes };
  });
}

function keyOf({ name, device, gpu }: Place | PrintedBuffer): string {
  return `${name} ${device} ${gpu ?? 0}`;
}

/** `CPU_Mapped`, `CPU_REPACK`, `CUDA_Host` and `CPU` are the host's; `CUDA1`, `MTL0_Mapped`, older builds' `Metal_Mapped` a GPU's. */
function placeOf({ kind, buffer }: LoggedBuffer, severalGpus: boolean): Place {
  const isMapped = buffer.endsWith('_Mapped');
  const name = kind === 'model' ? (isMapped ? 'weights' : 'weights-copy') : PARTS[kind];
  const gpu = /^Metal(_|$)/.test(buffer) ? '0' : /^(?!CPU)[A-Za-z]+(\d+)(_|$)/.exec(buffer)?.[1];
  if (gpu === undefined) return { name, device: 'host' };
  return { name, device: 'gpu', ...(severalGpus && { gpu: Number(gpu) }) };
}
