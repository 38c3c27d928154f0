import type { Gpu } from '../host-memory.js';
import type { Probe } from '../probe.js';
import { visibleDevices } from './visible-devices.js';

const MIB = 2 ** 20;
const COLUMNS = ['memory.total', 'memory.used', 'uuid', 'mig.mode.current', 'name', 'memory.free'] as const;
type Column = (typeof COLUMNS)[number];
/** Drivers before 450, which know nothing of MIG, refuse a question with it whole. */
const OLD_COLUMNS = COLUMNS.filter((column) => column !== 'mig.mode.current');
/** One that took so long hangs, and would again. */
const HANGS_MS = 4_000;

/** No machine has more; what lists more does not say what this one has. */
const MOST_GPUS = 64;

/** NVIDIA GPUs that have no memory of their own, by what nvidia-smi calls them. */
const SHARES_MEMORY = /\b(GB10|Orin|Thor|Xavier|Tegra|Jetson)\b/i;

/** A GPU, or a MIG device of one. */
export interface NvidiaGpu extends Omit<Gpu, 'index'> {
  readonly uuid: string;
  readonly sharesMemory: boolean;
}

export interface NvidiaGpus {
  /** As CUDA numbers them; undefined amounts are those that nvidia-smi could not say. */
  readonly visible: readonly (NvidiaGpu | undefined)[];
  readonly notes: readonly string[];
}

/**
 * The NVIDIA GPUs that CUDA would see, according to `nvidia-smi`, or undefined when there is none.
 * @param asked processes of which is to be said what they hold on each
 */
export async function measureNvidia(
  probe: Pick<Probe, 'run' | 'env'>,
  asked: readonly number[] = [],
): Promise<NvidiaGpus | undefined> {
  const { run, env = {} } = probe;
  const rows = await listedRows(run);
  if (rows.length === 0) return undefined;
  if (rows.length > MOST_GPUS) return { visible: [undefined], notes: [] };
  const wantsMig = rows.some(({ mig }) => mig) || /\bMIG-/.test(env.CUDA_VISIBLE_DEVICES ?? '');
  const devices = wantsMig ? await withMigDevices(rows, run) : rows;
  const { visible, notes } = numbered(devices, env);
  if (asked.length === 0) return { visible, notes };
  const held = heldRows(
    await run('nvidia-smi', [`--query-compute-apps=${HELD_QUERY}`, '--format=csv,noheader,nounits']),
  );
  return { visible: visible.map((gpu) => gpu && { ...gpu, heldBy: heldOn(gpu, held, asked) }), notes };
}

/** None where nvidia-smi is not there, fails or hangs. */
async function listedRows(run: Probe['run']): Promise<readonly Row[]> {
  const ask = async (columns: readonly Column[]): Promise<readonly Row[] | undefined> => {
    const output = await run('nvidia-smi', [`--query-gpu=${columns.join(',')}`, '--format=csv,noheader,nounits']);
    const lines = output?.split('\n').filter((line) => line.trim() !== '');
    return lines?.map((line) => parseRow(line, columns));
  };
  const askedAtMs = performance.now();
  const rows = await ask(COLUMNS);
  const isOver = rows !== undefined || performance.now() - askedAtMs >= HANGS_MS;
  return (isOver ? rows : await ask(OLD_COLUMNS)) ?? [];
}

/** What says that an NVIDIA GPU may be here of which nvidia-smi does not tell, as a sentence; undefined where nothing does. */
export async function untoldNvidia({ list, has }: Pick<Probe, 'list' | 'has'>): Promise<string | undefined> {
  const device = (await list?.('/dev'))?.find((name) => /^nvidia\d+$/.test(name));
  if (device !== undefined) return `/dev/${device} is here, but nvidia-smi lists no GPU`;
  return has?.('nvidia-smi') === true ? 'nvidia-smi is here, but lists no GPU' : undefined;
}

const HELD_QUERY = 'gpu_uuid,pid,used_memory';

interface HeldRow {
  readonly uuid: string;
  readonly pid: number;
  readonly bytes: number;
}

/** Without those whose memory is not told, which happens in containers, with MIG and on Windows. */
function heldRows(output: string | undefined): readonly HeldRow[] {
  return (output ?? '').split('\n').flatMap((line) => {
    const [uuid = '', pid = '', memory = ''] = line.split(',').map((cell) => cell.trim());
    const bytes = mebibytes(memory);
    return Number.isFinite(bytes) ? [{ uuid, pid: Number(pid), bytes }] : [];
  });
}

function heldOn({ uuid }: NvidiaGpu, held: readonly HeldRow[], asked: readonly number[]): NonNullable<Gpu['heldBy']> {
  const own = held.filter((row) => row.uuid === uuid && asked.includes(row.pid));
  return own.map(({ pid, bytes }) => ({ pid, bytes }));
}

interface Row {
  readonly uuid: string;
  readonly gpu: NvidiaGpu | undefined;
  readonly mig: boolean;
  readonly isMigDevice?: boolean;
}

function parseRow(line: string, columns: readonly Column[]): Row {
  const cells = line.split(',').map((cell) => cell.trim());
  const cell = (column: Column): string | undefined => cells[columns.indexOf(column)];
  const [total = '', used = '', uuid = '', mig = '', name = '', free] = COLUMNS.map(cell);
  const totalBytes = mebibytes(total);
  const gpu = { uuid, name, totalBytes, usedBytes: takenBytes(totalBytes, mebibytes(used), free) };
  const sharesMemory = SHARES_MEMORY.test(gpu.name);
  const isKnown = sharesMemory || (gpu.totalBytes > 0 && Number.isFinite(gpu.totalBytes + gpu.usedBytes));
  return { uuid, mig: mig === 'Enabled', gpu: isKnown ? { ...gpu, sharesMemory } : undefined };
}

/** What a driver may keep for itself where it does not say what is free: 480 MiB of an H100, less of others. */
const KEPT_BYTES = 512 * MIB;

/**
 * What no program can get any more: also what the driver keeps for itself, which is neither used nor free.
 * @param free in MiB, where that is said
 * @returns not a number for what is none
 */
function takenBytes(totalBytes: number, usedBytes: number, free: string | undefined): number {
  if (free === undefined) return Math.min(totalBytes, usedBytes + KEPT_BYTES);
  return Math.max(Number.isNaN(usedBytes) ? 0 : usedBytes, totalBytes - mebibytes(free));
}

/** Not a number for what nvidia-smi puts in brackets: `[N/A]`, `[Insufficient Permissions]`, `[GPU is lost]`. */
function mebibytes(cell: string): number {
  return /^\d{1,12}$/.test(cell) ? Number(cell) * MIB : Number.NaN;
}

/**
 * Without `CUDA_DEVICE_ORDER=PCI_BUS_ID` CUDA numbers the fastest first, which nvidia-smi does not tell; of two orders that
 * are possible the one holds that gives less.
 */
function numbered(rows: readonly Row[], env: Readonly<Record<string, string | undefined>>): NvidiaGpus {
  const visible = (order: readonly Row[]): readonly Row[] => withoutHiddenMig(visibleDevices('nvidia', order, env));
  const byBus = visible(rows);
  if (env.CUDA_DEVICE_ORDER === 'PCI_BUS_ID' || env.CUDA_VISIBLE_DEVICES === undefined) return found(byBus);
  const bySpeed = visible([...rows].sort((a, b) => (b.gpu?.totalBytes ?? 0) - (a.gpu?.totalBytes ?? 0)));
  if (sum(bySpeed) === sum(byBus)) return found(byBus);
  const note =
    'CUDA_VISIBLE_DEVICES numbers GPUs of different sizes, the fastest first unless CUDA_DEVICE_ORDER=PCI_BUS_ID is set: the smaller choice is counted';
  return { ...found(sum(bySpeed) < sum(byBus) ? bySpeed : byBus), notes: [note] };
}

/** A GPU that is divided is used through its devices, of which CUDA shows a program one. */
function withoutHiddenMig(rows: readonly Row[]): readonly Row[] {
  const device = rows.find(({ isMigDevice }) => isMigDevice === true);
  return device === undefined ? rows : [device];
}

function found(rows: readonly Row[]): NvidiaGpus {
  return { visible: rows.map(({ gpu }) => gpu), notes: [] };
}

function sum(rows: readonly Row[]): number {
  return rows.reduce((all, { gpu }) => all + (gpu?.totalBytes ?? 0), 0);
}

/** Divided GPUs replaced by their devices: `nvidia-smi -L` has their names, `-q -x` their memory. */
async function withMigDevices(rows: readonly Row[], run: Probe['run']): Promise<readonly Row[]> {
  const [list = '', details = ''] = await Promise.all([run('nvidia-smi', ['-L']), run('nvidia-smi', ['-q', '-x'])]);
  const memory = details.split('<gpu ').slice(1).map(migMemory);
  const devices = list.split(/^(?=GPU \d+:)/m).filter((text) => text.startsWith('GPU '));
  return rows.flatMap((row, gpu) => {
    const text = devices.find((one) => row.uuid !== '' && one.includes(row.uuid)) ?? devices[gpu] ?? '';
    const instances = [...text.matchAll(/^\s+MIG (\S+)\s+Device\s+(\d+): \(UUID: (MIG-[^)]+)\)/gm)];
    // One that is to be divided, and of which no part is known, is no GPU that a program could have.
    if (instances.length === 0) return [row.mig ? { ...row, gpu: undefined } : row];
    return instances.map(([, profile = '', device = '', uuid = '']): Row => {
      const known = memory[gpu]?.get(device);
      const instance = known && { uuid, name: `MIG ${profile}`, ...known, sharesMemory: false };
      return { uuid, mig: true, isMigDevice: true, gpu: instance };
    });
  });
}

function migMemory(xml: string): ReadonlyMap<string, Pick<Gpu, 'totalBytes' | 'usedBytes'>> {
  const blocks = [...xml.matchAll(/<mig_device>(.*?)<\/mig_device>/gs)].map(([, block = '']) => block);
  return new Map(
    blocks.flatMap((block) => {
      const usage = /<fb_memory_usage>(.*?)<\/fb_memory_usage>/s.exec(block)?.[1] ?? '';
      const [total = '', used = '', free] = ['total', 'used', 'free'].map((name) => amountIn(usage, name));
      const totalBytes = mebibytes(total);
      const usedBytes = takenBytes(totalBytes, mebibytes(used), free);
      const index = /<index>(\d+)</.exec(block)?.[1];
      return index !== undefined && Number.isFinite(totalBytes + usedBytes)
        ? [[index, { totalBytes, usedBytes }] as const]
        : [];
    }),
  );
}

/** `<used>37 MiB</used>` */
function amountIn(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*?)(?: MiB)?</${name}>`).exec(xml)?.[1];
}
