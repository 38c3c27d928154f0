import { largestPrograms, type Program } from './programs.js';
import { thisMachine, type Probe } from '../probe.js';

const KIB = 1024;
const SHOWN = 8;
/** Programs that run models, by the names of their processes. */
const ENGINES =
  /^(llama-(server|cli|bench|box)|ollama|LM Studio|lms|mlx_lm|vllm|koboldcpp|text-generation|localai|jan|gpt4all)/i;

export interface HeldByPrograms {
  /** The largest first, those of one name added up. */
  readonly largest: readonly Program[];
  /** Of all that run. */
  readonly engines: readonly Program[];
}

/** Who holds this machine's memory, as `ps` says it (resident pages) or, on a Mac, `top` (footprints). */
export async function heldByPrograms(probe: Probe = thisMachine): Promise<HeldByPrograms> {
  const output = (await probe.run('ps', ['-A', '-o', 'rss=,comm='])) ?? '';
  const resident = programsFromPs(output);
  const footprints = await largestPrograms(probe);
  return {
    // Threads of a Linux kernel have no pages of their own.
    largest: (footprints.length > 0 ? footprints : resident).filter(({ bytes }) => bytes > 0).slice(0, SHOWN),
    engines: resident.filter(({ name }) => ENGINES.test(name)),
  };
}

/** Rows such as `20480 /usr/bin/llama-server`: KiB and the program, of which only the name is told. */
function programsFromPs(output: string): readonly Program[] {
  const held = new Map<string, number>();
  for (const [, kibibytes = '', path = ''] of output.matchAll(/^\s*(\d+)\s+(\S.*?)\s*$/gm)) {
    const name = path.split('/').at(-1) ?? path;
    held.set(name, (held.get(name) ?? 0) + Number(kibibytes) * KIB);
  }
  return [...held].map(([name, bytes]) => ({ name, bytes })).sort((a, b) => b.bytes - a.bytes);
}
