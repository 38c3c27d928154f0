import { setTimeout as sleep } from 'node:timers/promises';
import type { HostMemory } from '../host/host-memory.js';
import { safeOutput } from '../printable.js';
import { foldLines } from '../report/layout/wrap.js';
import { terminalWidth } from './terminal/terminal-width.js';

/** A change of this share of a pool is worth another look. */
const NOTICEABLE_SHARE = 0.01;
const LOOK_EVERY_MS = 1_000;
const CLEAR = '\u001b[2J\u001b[H';

interface Watched {
  /** The verdict on the machine as it is now, as it is to be printed. */
  readonly verdictText: () => Promise<string>;
  /** For programs: a line a verdict. */
  readonly asLines?: boolean;
  readonly measure: () => Promise<HostMemory>;
  readonly stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'rows' | 'write'>;
  readonly everyMs?: number;
}

/**
 * Shows a verdict, and shows it again whenever what is in use of a pool has changed by more than 1 % of it, on one screen that does not
 * scroll (elsewhere one after the other). Nothing is to be tidied up, so a signal ends the program at once, whatever it is computing.
 */
export async function watchCheck({
  verdictText,
  measure,
  asLines = false,
  stream,
  everyMs = LOOK_EVERY_MS,
}: Watched): Promise<never> {
  let shown: HostMemory | undefined;
  for (;;) {
    const now = await measure();
    if (shown === undefined || hasChanged(shown, now)) {
      shown = now;
      const text = await verdictText();
      stream.write(asLines ? `${text}\n` : onScreen(safeOutput(text), stream));
    }
    await sleep(everyMs);
  }
}

function onScreen(text: string, stream: Watched['stream']): string {
  if (stream.isTTY !== true) return `${text}\n\n`;
  const lines = foldLines(text, terminalWidth(stream)).split('\n');
  return `${CLEAR}${lines.slice(0, Math.max(1, (stream.rows || 24) - 1)).join('\n')}\n`;
}

function hasChanged(before: HostMemory, now: HostMemory): boolean {
  return poolsOf(now).some(({ name, totalBytes, usedBytes }) => {
    const known = poolsOf(before).find((pool) => pool.name === name);
    return known === undefined || Math.abs(usedBytes - known.usedBytes) > totalBytes * NOTICEABLE_SHARE;
  });
}

function poolsOf({ totalBytes, inUseBytes, promisedBytes = 0, gpus = [], gpuWired }: HostMemory) {
  return [
    { name: 'memory', totalBytes, usedBytes: inUseBytes + promisedBytes },
    ...gpus.map((gpu) => ({ name: `gpu ${gpu.index}`, totalBytes: gpu.totalBytes, usedBytes: gpu.usedBytes })),
    ...(gpuWired ? [{ name: 'wired', totalBytes, usedBytes: gpuWired.inUseBytes }] : []),
  ];
}
