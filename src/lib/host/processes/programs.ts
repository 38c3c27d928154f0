import { thisMachine, type Probe } from '../probe.js';

/** A running program and what it holds, GPU buffers and compressed pages included. */
export interface Program {
  readonly name: string;
  readonly bytes: number;
}

const SHOWN = 3;
const UNIT_BYTES: Readonly<Record<string, number>> = { B: 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Only `top`, which may look at every process, knows a program's footprint; what `ps` prints leaves Metal buffers out. */
const TOP = ['-l', '1', '-o', 'mem', '-n', '12', '-stats', 'pid,mem,command'] as const;

/** The programs that hold most of this Mac's memory, largest first; none where that cannot be told. */
export async function largestPrograms({ platform, run }: Pick<Probe, 'platform' | 'run'> = thisMachine): Promise<
  readonly Program[]
> {
  if (platform !== 'darwin') return [];
  return programsFromTop((await run('top', TOP)) ?? '').slice(0, SHOWN);
}

/** Rows such as `512    2048M+  WindowServer`, those of one name added up. */
export function programsFromTop(output: string): readonly Program[] {
  const held = new Map<string, number>();
  for (const [, amount = '', unit = '', name = ''] of output.matchAll(
    /^\s*\d+\*?\s+(\d+)([BKMGT])[+-]?\s+(\S.*?)\s*$/gm,
  )) {
    if (name !== 'kernel_task') held.set(name, (held.get(name) ?? 0) + Number(amount) * (UNIT_BYTES[unit] ?? 0));
  }
  return [...held].map(([name, bytes]) => ({ name, bytes })).sort((a, b) => b.bytes - a.bytes);
}
