import { Chalk } from 'chalk';
import { memoryBudget, gpuBudget } from '../../../src/lib/budget/budget-policy.js';
import { withReservations } from '../../../src/lib/guard/ledger/reservations.js';
import { findAccelerator, foundNote } from '../../../src/lib/host/gpu/find-accelerator.js';
import type { HostMemory } from '../../../src/lib/host/host-memory.js';
import { measureHost } from '../../../src/lib/host/measure-host.js';
import { memoryPressure } from '../../../src/lib/host/memory-pressure.js';
import { heldByPrograms } from '../../../src/lib/host/processes/held-by-programs.js';
import { linuxProcessMemory } from '../../../src/lib/host/processes/process-memory.js';
import type { Accelerator } from '../../../src/lib/runtime/launch-options.js';
import { printed, printedAsJson } from '../making/harmless.js';
import type { Random } from '../making/random.js';
import { Finding, type Subject } from '../subject.js';
import { ENTRY } from './ledger-entry.js';
import { AMDS, LINUXES, MACS, NVIDIAS, probeOf, type Recorded } from './recorded.js';

/** What stands where an amount should, when a program or a driver cannot say it. */
const NO_AMOUNTS = [
  '',
  '-',
  '[N/A]',
  '[Insufficient Permissions]',
  'nan',
  '-1',
  '-4096',
  '1e3',
  '0x7f',
  '12.5',
  '１２',
];
/** Names and versions hold digits as well; these texts have no amounts, or some that say nothing of memory. */
const WITHOUT_AMOUNTS =
  /cgroup$|nvidia-smi -L|kern\.|^(ps|top) |pressure|\/(device|unique_id|product_name|status|smaps)$/;

export const linuxMachines = measured('Linux machines', LINUXES, ['cpu']);
export const nvidiaGpus = measured('outputs of nvidia-smi', NVIDIAS, ['cuda', 'vulkan']);
export const amdGpus = measured("files of amdgpu's", AMDS, ['rocm', 'vulkan']);
export const macs = measured('outputs of a Mac', MACS, ['metal']);

/** Files and programs of the system, whatever they say, and what is made of it. */
function measured(name: string, machines: readonly Recorded[], accelerators: readonly Accelerator[]): Subject {
  return {
    name,
    run: async (random) => {
      const recorded = random.pick(machines);
      const accelerator = random.pick(accelerators);
      if (random.int(2) === 0) {
        await look(accelerator, damaged(recorded, random));
        return;
      }
      const before = roomOf(await look(accelerator, recorded));
      const after = roomOf(await look(accelerator, withoutAmount(recorded, random)));
      for (const [what, bytes] of Object.entries(after)) {
        if (!(bytes <= (before[what] ?? 0))) throw new Finding(`${what} has ${bytes} bytes, after ${before[what]}`);
      }
    },
  };
}

async function look(accelerator: Accelerator, recorded: Recorded): Promise<HostMemory> {
  const probe = probeOf(recorded);
  const host = await measureHost({ accelerator, ledgered: [ENTRY.pid] }, probe);
  for (const [what, bytes] of amountsOf(host)) {
    if (!Number.isFinite(bytes) || bytes < 0) throw new Finding(`${what}: ${bytes} bytes`);
  }
  const memory = linuxProcessMemory(ENTRY.pid, (path) => recorded.texts[path]);
  const beside = withReservations(host, [ENTRY], [{ ...ENTRY, ...memory }]);
  if (!(beside.inUseBytes + (beside.promisedBytes ?? 0) >= host.inUseBytes))
    throw new Finding('a promise makes less in use than what is known');
  const found = await findAccelerator(probe);
  printedAsJson([host, beside, found, await memoryPressure(probe), await heldByPrograms(probe)]);
  printed(new Chalk({ level: 0 }).bold([foundNote(found), ...host.notes].join('\n')));
  return host;
}

function amountsOf({ totalBytes, inUseBytes, idleBytes = 0, cgroups = [], gpus = [], ...mac }: HostMemory) {
  const { gpuWiredLimitBytes = 0, gpuWired = { allocatedBytes: 0, inUseBytes: 0 } } = mac;
  return [
    ['total', totalBytes],
    ['in use', inUseBytes],
    ['idle', idleBytes],
    ['the wired limit', gpuWiredLimitBytes],
    ['wired', gpuWired.inUseBytes],
    ['allocated', gpuWired.allocatedBytes],
    ...cgroups.flatMap((group) => [
      ['the limit of a group', group.limitBytes] as const,
      ['in use by a group', group.inUseBytes] as const,
    ]),
    ...gpus.flatMap((gpu) => [
      ['the total of a GPU', gpu.totalBytes] as const,
      ['in use on a GPU', gpu.usedBytes] as const,
      ...(gpu.heldBy ?? []).map(({ bytes }) => ['held on a GPU', bytes] as const),
    ]),
  ] as const;
}

/** What a launch may take, of each memory that there is. */
function roomOf(host: HostMemory): Readonly<Record<string, number>> {
  const gpus = (host.gpus ?? [undefined]).map((_, gpu) => [`GPU ${gpu}`, gpuBudget(host, gpu)?.bytes] as const);
  return {
    'the machine': memoryBudget(host, {}).bytes,
    'what nobody has to give up': memoryBudget(host, {}).bytes - (host.idleBytes ?? 0),
    ...Object.fromEntries(gpus.filter(([, bytes]) => bytes !== undefined)),
  };
}

/** One or two of the texts changed, cut off or missing. */
function damaged(recorded: Recorded, random: Random): Recorded {
  let { texts } = recorded;
  for (let changes = 1 + random.int(2); changes > 0; changes--) {
    const [name, text = ''] = random.pick(Object.entries(texts));
    const changed = random.pick<() => string | undefined>([
      () => random.damaged(text),
      () =>
        text.replaceAll(/\d+/g, (digits) => (random.int(4) === 0 ? String(random.oddNumber(Number(digits))) : digits)),
      () => text.slice(0, random.int(text.length)),
      () => text.repeat(1 + random.int(200)),
      () => text.replaceAll('\n', '\r\n'),
      () => undefined,
    ])();
    const others = Object.entries(texts).filter(([other]) => other !== name);
    texts = Object.fromEntries(changed === undefined ? others : [...others, [name, changed]]);
  }
  return { ...recorded, texts };
}

/** One amount replaced by what is none. */
function withoutAmount(recorded: Recorded, random: Random): Recorded {
  const [name, text] = random.pick(Object.entries(recorded.texts).filter(([path]) => !WITHOUT_AMOUNTS.test(path)));
  const amounts = [...text.matchAll(/(?<![\w.:-])\d{3,}(?!\d)/g)];
  if (amounts.length === 0) return recorded;
  const { index, 0: digits } = random.pick(amounts);
  const changed = text.slice(0, index) + random.pick(NO_AMOUNTS) + text.slice(index + digits.length);
  return { ...recorded, texts: { ...recorded.texts, [name]: changed } };
}
