import { compareLog } from '../../preflight/surveys/compare-log.js';
import { parseServerLog } from '../../runtime/server-log.js';
import { withProof, type Proof } from '../core/condition-text.js';
import type { FitReport } from '../core/memory-fit.js';
import { logHead } from '../machine/log-file.js';
import type { PartOwner } from '../../estimate/memory-estimate.js';
import type { CompleteCheck } from '../../preflight/memory-check.js';
import type { ServerRecord } from '../machine/server-record.js';

/** An estimate held against what the server said that it allocated. */
export interface Proven {
  readonly proof: Proof;
  readonly report: FitReport;
  /** Beyond what rounding and a different build explain: worth an event. */
  readonly isOff: boolean;
  readonly build: string | undefined;
}

/** A draft that has a file of its own, and everything else beside the model, is printed with another load. */
const OF_THE_MODEL: ReadonlySet<PartOwner> = new Set(['model', 'mtp']);
/** One part in a hundred. */
const TOLERATED = 0.01;

/** Undefined where the server printed no buffers, or another model's figures cannot be told apart from them. */
export function proofOf(
  { shape, launch, estimate }: Pick<CompleteCheck, 'shape' | 'launch' | 'estimate'>,
  { logFile }: Pick<ServerRecord, 'logFile'>,
  fit: FitReport,
  build: string | undefined,
): Proven | undefined {
  const log = parseServerLog(logHead(logFile));
  if (log.buffers.length === 0) return undefined;
  const parts = estimate.parts.filter(({ of }) => OF_THE_MODEL.has(of));
  const compared = compareLog(log, shape, launch, { parts });
  const sum = (bytesOf: (one: (typeof compared)[number]) => number): number =>
    compared.reduce((total, one) => total + bytesOf(one), 0);
  const proof = { measuredBytes: sum((one) => one.printedBytes), estimatedBytes: sum((one) => one.estimatedBytes) };
  const isOff = Math.abs(proof.measuredBytes - proof.estimatedBytes) > proof.estimatedBytes * TOLERATED;
  return { proof, report: withProof(fit, proof), isOff, build };
}
