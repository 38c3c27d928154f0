import type { Gpu } from '../host-memory.js';
import type { Probe } from '../probe.js';
import { visibleDevices } from './visible-devices.js';

const DRM = '/sys/class/drm';
const AMD_VENDOR = '0x1002';

/** PCI ids of AMD's processors with a GPU inside, which has a small part of the machine's memory and borrows the rest. */
const APU_IDS: ReadonlySet<string> = new Set(
  [
    '1506',
    '150e',
    '1586',
    '15bf',
    '15c8',
    '15d8',
    '15dd',
    '15e7',
    '1636',
    '1638',
    '163f',
    '164c',
    '164d',
    '164e',
  ].concat(['1681', '1900', '1901', '1114', '13c0', '74a0']),
);

/** An AMD GPU as amdgpu describes it below `/sys/class/drm`. */
export interface AmdGpu extends Omit<Gpu, 'index'> {
  /** As `ROCR_VISIBLE_DEVICES` names it; empty where the driver does not say. */
  readonly uuid: string;
  readonly sharesMemory: boolean;
}

/** The AMD GPUs that HIP would see, or undefined when there is none; undefined among them are those whose memory amdgpu does not tell. */
export async function measureAmd({
  readText,
  list,
  env = {},
}: Pick<Probe, 'readText' | 'list' | 'env'>): Promise<readonly (AmdGpu | undefined)[] | undefined> {
  const cards = ((await list?.(DRM)) ?? [])
    .flatMap((name) => /^card(\d+)$/.exec(name)?.[1] ?? [])
    .sort((a, b) => Number(a) - Number(b));
  const found = await Promise.all(cards.map((card) => readCard(readText, `${DRM}/card${card}/device`)));
  const listed = found.filter((card) => card !== undefined);
  return listed.length === 0 ? undefined : visibleDevices('amd', listed, env).map(({ gpu }) => gpu);
}

interface Card {
  readonly uuid: string;
  readonly gpu: AmdGpu | undefined;
}

async function readCard(readText: Probe['readText'], folder: string): Promise<Card | undefined> {
  const read = async (file: string): Promise<string> => (await readText(`${folder}/${file}`))?.trim() ?? '';
  if ((await read('vendor')) !== AMD_VENDOR) return undefined;
  const [device, unique, name, ...amounts] = await Promise.all([
    read('device'),
    read('unique_id'),
    read('product_name'),
    ...['vram_total', 'vram_used', 'gtt_total', 'gtt_used'].map((file) => read(`mem_info_${file}`)),
  ]);
  const uuid = unique === '' ? '' : `GPU-${unique.replace(/^0x/, '')}`;
  const [vramTotal, vramUsed, gttTotal, gttUsed] = amounts.map(bytesOf) as [number, number, number, number];
  if (vramTotal === 0) return undefined;
  // Memory that the firmware has set aside for the GPU is not the system's any more.
  const sharesMemory = APU_IDS.has(device.replace(/^0x/, '')) && gttTotal > vramTotal;
  const shared = sharesMemory
    ? { totalBytes: gttTotal, usedBytes: gttUsed }
    : { totalBytes: vramTotal, usedBytes: vramUsed };
  const isKnown = Number.isFinite(vramTotal + gttTotal + shared.usedBytes);
  return { uuid, gpu: isKnown ? { name: name || 'AMD GPU', uuid, ...shared, sharesMemory } : undefined };
}

/** Not a number for what is none, or where there is no such file. */
function bytesOf(text: string): number {
  return /^\d{1,20}$/.test(text) ? Number(text) : Number.NaN;
}
