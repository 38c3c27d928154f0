import type { CatalogEntry } from '../catalog/catalog.js';
import type { MemoryEstimate } from '../estimate/memory-estimate.js';
import type { Program } from '../host/processes/programs.js';
import type { ModelShape } from '../model/model-shape.js';
import type { CombinedLaunch } from '../runtime/combine-launch.js';
import type { LaunchOptions } from '../runtime/launch-options.js';
import type { ModelHeader } from '../source/model-header.js';
import type { Advice } from './advice/advice.js';
import type { Room } from './advice/trials.js';
import type { NamedFiles } from './beside/beside-files.js';
import type { LoadedProjector } from './beside/beside.js';
import type { ResolvedModel } from './resolve-model.js';
import type { ServerChoice } from './server-choice.js';
import type { CompletedVerdict, UnknownVerdict } from './judge/verdict.js';

/** What a check is about: known before anything is read. */
export interface PlannedCheck extends CombinedLaunch {
  /** As the user typed it. */
  readonly model: string;
  readonly resolved: ResolvedModel;
  readonly entry: CatalogEntry | undefined;
  readonly source: string;
  /** One of several with the same options. */
  readonly amongOthers?: boolean;
  /** The launch before llama-server chose what was left open. */
  readonly asked: LaunchOptions;
  /** The longest context in tokens that fits, all slots together, where it was worked out; undefined where none does. */
  readonly largest?: number | undefined;
}

/** What is found out on the way to a verdict, in this order. */
export interface Findings {
  readonly header: Pick<ModelHeader, 'origin' | 'derived' | 'file' | 'place'>;
  readonly shape: ModelShape;
  /** What is loaded beside the model. */
  readonly projector?: LoadedProjector;
  readonly named: NamedFiles;
  /** The machine it is held against. */
  readonly room: Room;
  readonly estimate: MemoryEstimate;
  /** What llama-server will choose where the launch leaves it open; `launch` has it then. */
  readonly choice?: ServerChoice;
}

/** A check with a verdict, and everything that it rests on. */
export interface CompleteCheck extends PlannedCheck, Findings {
  readonly verdict: CompletedVerdict;
  /** Each completes "try to …". */
  readonly suggestions: readonly string[];
  /** What would fit instead, worked out for a refusal. */
  readonly advice?: readonly Advice[];
  /** Which programs hold most, where they would have to give up some. */
  readonly programs?: readonly Program[];
  /** Flags that keep what grows after start-up within the budget, where a smaller prompt cache alone does not; empty where none do. */
  readonly remedy?: readonly string[];
}

/** A check that could not be completed, and how far it got. */
export interface IncompleteCheck extends PlannedCheck, Partial<Findings> {
  readonly verdict: UnknownVerdict;
  readonly suggestions: readonly string[];
  readonly advice?: undefined;
  readonly programs?: undefined;
  readonly remedy?: undefined;
}

export type MemoryCheck = CompleteCheck | IncompleteCheck;

export function isComplete(check: MemoryCheck): check is CompleteCheck {
  return check.verdict.kind !== 'unknown';
}
