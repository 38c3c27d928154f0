import type { Probe } from './probe.js';

export type PressureLevel = 'normal' | 'warning' | 'critical';

/** How hard the system has to work to give memory to whoever asks. */
export interface MemoryPressure {
  readonly level: PressureLevel;
  /** What was read, as a sentence. */
  readonly text: string;
}

/** Share of the last ten seconds in which some tasks, or all of them, waited for memory. */
const SOME_WARNS = 10;
const FULL_IS_CRITICAL = 10;

/** `kern.memorystatus_vm_pressure_level` of macOS. */
const MAC_LEVELS: Readonly<Record<string, PressureLevel>> = { '1': 'normal', '2': 'warning', '4': 'critical' };

/** As the system itself says it: pressure stall information on Linux, the kernel's level on macOS; undefined where it does not. */
export async function memoryPressure({
  platform,
  run,
  readText,
}: Pick<Probe, 'platform' | 'run' | 'readText'>): Promise<MemoryPressure | undefined> {
  if (platform === 'linux') return fromStalls(await readText('/proc/pressure/memory'));
  if (platform === 'darwin') return fromMac(await run('sysctl', ['-n', 'kern.memorystatus_vm_pressure_level']));
  return undefined;
}

function fromStalls(text: string | undefined): MemoryPressure | undefined {
  const share = (which: string): number | undefined => {
    const found = new RegExp(`^${which} avg10=(\\d+(?:\\.\\d+)?)`, 'm').exec(text ?? '')?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const [some, full] = [share('some'), share('full')];
  if (some === undefined || full === undefined) return undefined;
  const level = full >= FULL_IS_CRITICAL ? 'critical' : some >= SOME_WARNS ? 'warning' : 'normal';
  if (some === 0) return { level, text: 'in the last 10 s no task waited for memory' };
  return { level, text: `in the last 10 s some tasks waited for memory ${some}% of the time, all ${full}%` };
}

function fromMac(text: string | undefined): MemoryPressure | undefined {
  const level = MAC_LEVELS[text?.trim() ?? ''];
  return level && { level, text: `macOS calls its memory pressure ${level}` };
}
