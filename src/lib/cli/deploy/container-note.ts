import { quantityBytes } from '../../kube/bounds.js';
import { hostMemoryNeed } from '../../kube/check-record.js';
import { isComplete, type MemoryCheck } from '../../preflight/memory-check.js';
import { formatCompared } from '../../report/words/bytes.js';

/**
 * What to say of `--memory`, which the operator makes the container's limit too, where the launch takes more than that; undefined where
 * it does not, where that is not known, and on a Mac, where there is no container.
 * @param memory as typed, not yet looked at
 */
export function containerNote(check: MemoryCheck, memory: string | undefined): string | undefined {
  const asked = memory === undefined ? undefined : quantityBytes(memory);
  if (asked === undefined || !isComplete(check) || check.launch.accelerator === 'metal') return undefined;
  const { requestBytes, limitBytes = Number.POSITIVE_INFINITY } = hostMemoryNeed(check.estimate);
  if (asked >= limitBytes) return undefined;
  const isLimit = `--memory ${memory} is the container's limit too, and`;
  if (asked < requestBytes)
    return `${isLimit} less than the ${formatCompared(requestBytes, asked)[0]} that it holds when loaded: raise it, or leave it out`;
  const most = Number.isFinite(limitBytes) ? `the ${formatCompared(limitBytes, asked)[0]} that it` : 'what it';
  return `${isLimit} less than ${most} can grow to: raise it, or lower --cache-ram`;
}
