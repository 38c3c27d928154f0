import { CheckIncompleteError } from '../../errors.js';
import type { Accelerator } from '../../runtime/launch-options.js';
import { measureAmd } from './amd.js';
import type { Gpu, HostMemory } from '../host-memory.js';
import { measureNvidia } from './nvidia.js';
import type { Probe } from '../probe.js';
import { hidingVariable, type Vendor } from './visible-devices.js';

/** A GPU as its vendor's measurement has it; undefined where that could not say its memory. */
type Measured = (Omit<Gpu, 'index'> & { readonly sharesMemory: boolean }) | undefined;

interface Found {
  readonly visible: readonly Measured[];
  readonly notes: readonly string[];
}

/** Whose GPUs an accelerator runs on, of those that can be measured; nvidia-smi says nothing of the others. */
const VENDORS: Readonly<Record<Accelerator, readonly Vendor[]>> = {
  metal: [],
  cpu: [],
  cuda: ['nvidia'],
  rocm: ['amd'],
  vulkan: ['nvidia', 'amd'],
  intel: [],
};

/**
 * The GPUs of this machine that llama-server would use, added to what is known of its memory; undefined when there is none,
 * or none that can be measured.
 * @param ledgered processes of which is said what they hold on each GPU, where its driver tells
 * @throws CheckIncompleteError GPU_MEMORY_UNKNOWN
 */
export async function measureGpus(
  accelerator: Accelerator,
  host: HostMemory,
  probe: Probe,
  ledgered: readonly number[] = [],
): Promise<HostMemory | undefined> {
  const vendors = VENDORS[accelerator];
  // Vulkan has a variable of its own to hide devices.
  const env = accelerator === 'vulkan' ? {} : (probe.env ?? {});
  const found = (await Promise.all(vendors.map((vendor) => MEASURES[vendor]({ ...probe, env }, ledgered)))).filter(
    (one) => one !== undefined,
  );
  if (found.length === 0) return undefined;
  const visible = found.flatMap((one) => one.visible);
  if (visible.length === 0) throw hidden(vendors, env);
  // llama-server would use a GPU whose memory nobody can say.
  if (!visible.every((gpu) => gpu !== undefined)) return undefined;
  const left =
    accelerator === 'vulkan' ? leftByVulkan(visible, probe.env?.[VULKAN_LIST]) : { gpus: visible, notes: [] };
  return left && withMeasured(host, left.gpus, [...found.flatMap(({ notes }) => notes), ...left.notes]);
}

/** A list of numbers, in Vulkan's own order (`ggml_vk_instance_init`, `ggml-vulkan.cpp`, llama.cpp v0.5.0). */
const VULKAN_LIST = 'GGML_VK_VISIBLE_DEVICES';

/** In which order Vulkan has the GPUs is not known here, so the smallest count; undefined where more are named than are known. */
function leftByVulkan(
  gpus: readonly NonNullable<Measured>[],
  list: string | undefined,
): { readonly gpus: readonly NonNullable<Measured>[]; readonly notes: readonly string[] } | undefined {
  if (list === undefined) return { gpus, notes: [] };
  const named = new Set(list.split(/[\s,]+/).filter((word) => /^\d+$/.test(word))).size;
  if (named === 0) throw allHidden(VULKAN_LIST);
  if (named > gpus.length) return undefined;
  const bySize = [...gpus].sort((a, b) => a.totalBytes - b.totalBytes).slice(0, named);
  const note = `${VULKAN_LIST} names ${named} of ${gpus.length} GPUs by Vulkan's own numbers: the smallest are counted`;
  return { gpus: bySize, notes: named < gpus.length ? [note] : [] };
}

const MEASURES: Readonly<Record<Vendor, (probe: Probe, ledgered: readonly number[]) => Promise<Found | undefined>>> = {
  nvidia: measureNvidia,
  amd: async (probe) => {
    const visible = await measureAmd(probe);
    return visible && { visible, notes: [] };
  },
};

function withMeasured(
  host: HostMemory,
  visible: readonly NonNullable<Measured>[],
  more: readonly string[],
): HostMemory {
  // A GPU inside the processor is not what a launch runs on beside one with memory of its own.
  const own = visible.filter(({ sharesMemory }) => !sharesMemory);
  const used = own.length > 0 ? own : visible;
  const gpus = used.map(({ name, totalBytes, usedBytes, uuid, heldBy }, index) => ({
    index,
    name,
    ...(uuid && { uuid }),
    ...(heldBy && { heldBy }),
    totalBytes: Number.isFinite(totalBytes) ? totalBytes : host.totalBytes,
    usedBytes: Number.isFinite(usedBytes) ? usedBytes : 0,
  }));
  const notes = [...host.notes, ...more];
  return { ...host, gpus, notes, ...(own.length === 0 && { unifiedMemory: true }) };
}

function hidden(vendors: readonly Vendor[], env: Readonly<Record<string, string | undefined>>): CheckIncompleteError {
  const variable = vendors.map((vendor) => hidingVariable(vendor, env)).find((name) => name !== undefined);
  return allHidden(variable ?? 'the environment');
}

function allHidden(variable: string): CheckIncompleteError {
  return new CheckIncompleteError('GPU_MEMORY_UNKNOWN', `${variable} hides every GPU of this machine`, {
    suggestions: [`change ${variable}, or check --accelerator cpu`],
  });
}
