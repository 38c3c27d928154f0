import type { Probe } from '../probe.js';

/** Programs that map less than this are not worth a closer look. */
const LEAST_MAPPED_BYTES = 256 * 2 ** 20;
/** The largest that any Linux has. */
const LARGEST_PAGE_BYTES = 64 * 1024;

/** Weights as engines keep them: GGUF files, and the blobs of Ollama's store. */
const WEIGHTS = /\.gguf$|\/blobs\/sha256-[0-9a-f]+$/;

/** What engines are called in `/proc/PID/status` (15 characters), for those whose mappings only root may read. */
const ENGINES = /^(llama-|llama_|ollama|koboldcpp|llamafile|local-ai|LM Studio|lms\b)/;

/**
 * Resident bytes of model files that running programs have mapped. The kernel counts them as available, since it could
 * drop them, but an engine that computes reads them again at once.
 */
export async function mappedWeightsBytes(
  { readText, list, sharedPages }: Pick<Probe, 'readText' | 'list' | 'sharedPages'>,
  except: readonly number[] = [],
): Promise<number> {
  const all = (await list?.('/proc')) ?? [];
  const isLarge = (id: string): boolean =>
    sharedPages === undefined || (sharedPages(id) ?? 0) * LARGEST_PAGE_BYTES >= LEAST_MAPPED_BYTES;
  const processes = all.filter((name) => isNumber(name) && !except.includes(Number(name)) && isLarge(name));
  const held = await Promise.all(
    processes.map(async (id) => {
      const status = await readText(`/proc/${id}/status`);
      const fileBytes = Number(/^RssFile:\s+(\d+) kB$/m.exec(status ?? '')?.[1] ?? 0) * 1024;
      if (fileBytes < LEAST_MAPPED_BYTES) return 0;
      const smaps = await readText(`/proc/${id}/smaps`);
      if (smaps !== undefined && smaps !== '') return weightsIn(smaps);
      return ENGINES.test(/^Name:\t(.*)$/m.exec(status ?? '')?.[1] ?? '') ? fileBytes : 0;
    }),
  );
  return held.reduce((sum, bytes) => sum + bytes, 0);
}

function isNumber(name: string): boolean {
  return name >= '0' && name < ':';
}

/** Each page shared out among those that map it, and without locked ones, which nobody calls available. */
function weightsIn(smaps: string): number {
  let isWeights = false;
  let kibibytes = 0;
  for (const line of smaps.split('\n')) {
    const mapping = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+\s*(.*)$/.exec(line);
    if (mapping !== null) isWeights = WEIGHTS.test((mapping[1] ?? '').replace(/ \(deleted\)$/, ''));
    else if (isWeights) kibibytes += amount(line, 'Pss') - amount(line, 'Locked');
  }
  return Math.max(0, kibibytes) * 1024;
}

function amount(line: string, field: string): number {
  return line.startsWith(`${field}:`) ? Number(/(\d+) kB$/.exec(line)?.[1] ?? 0) : 0;
}
