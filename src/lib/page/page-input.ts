import type { BudgetPolicy } from '../budget/budget-policy.js';
import type { HeaderDigest } from '../gguf/digest/digest.js';
import type { HostMemory } from '../host/host-memory.js';
import type { Program } from '../host/processes/programs.js';
import type { DraftReason } from '../preflight/beside/find-draft.js';
import type { LoadedText } from '../report/words/loaded-text.js';
import type { LaunchOptions } from '../runtime/launch-options.js';

/** Everything that a page's answer rests on, as JSON in the page. */
export interface PageInput {
  /** As the user typed it. */
  readonly model: string;
  /** Where it was looked up, as words of the command line. */
  readonly modelOptions: readonly string[];
  /** As `--quantization` had it; null = what the model's place has by itself. */
  readonly askedQuantization: string | null;
  /** What the model is quantized to, as its publisher says it. */
  readonly ownQuantization: string;
  /** Other quantizations that `--quantization` leads to, sized by recipe; largest first. */
  readonly quantizations: readonly string[];
  /** Where the header was read, without anything secret. */
  readonly source: string;
  readonly files: PageFiles;
  readonly launch: LaunchOptions;
  /** llama-server's own options that were given, one word each; they are part of `launch` already. */
  readonly extraWords: readonly string[];
  /** Why the draft beside the model is loaded; null = none is. */
  readonly draftReason: DraftReason | null;
  /** Which files are loaded beside the model. */
  readonly loaded: readonly LoadedText[];
  readonly host: HostMemory;
  readonly policy: BudgetPolicy;
  /** Which programs hold most of that machine's memory, where some would have to give up. */
  readonly programs: readonly Program[];
  /** What the check had to say beside the verdict, a sentence each. */
  readonly notes: readonly string[];
  /** Why a fit cannot be claimed even where the estimate fits. */
  readonly uncounted: string | null;
}

/** The headers of what is loaded. */
export interface PageFiles {
  readonly model: HeaderDigest;
  readonly projector?: HeaderDigest;
  readonly draft?: HeaderDigest;
  readonly adapters?: readonly HeaderDigest[];
}

/** JSON knows no infinity; all experts on the CPU are those of more layers than any model has. */
const MANY_LAYERS = 1_000_000;

export function withoutInfinity(launch: LaunchOptions): LaunchOptions {
  return launch.cpuMoeLayers === Infinity ? { ...launch, cpuMoeLayers: MANY_LAYERS } : launch;
}
