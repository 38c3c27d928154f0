import { usefulContext } from '../../estimate/context/trained-context.js';
import type { MemoryEstimate } from '../../estimate/memory-estimate.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import type { Change, ModelVariant, Suggestion } from './advice.js';
import { changed, Levers, withVariant, type Attempt, type Lever } from './levers.js';
import { besideChanges, leastBeside } from './beside-changes.js';
import { compareLosses } from './losses.js';
import { largestContext, largestOfWhich } from './largest-fitting.js';
import { LEAST_USEFUL_CONTEXT, type Trials } from './trials.js';
import { CONTEXT_STEP } from '../../runtime/server-defaults.js';

/** A context cut below this share of what was asked for is worth a compact cache as well. */
const MUCH_OF_THE_CONTEXT = 0.5;

/** A launch that was refused, and what else there is of the model, largest first. */
export interface Refused {
  readonly shape: ModelShape;
  readonly launch: LaunchOptions;
  readonly estimate: MemoryEstimate;
  readonly variants: readonly ModelVariant[];
}

/** Levers to pull together, those that lose least first; where weights go is decided last, when all else is known. */
const LEVER_SETS: readonly (readonly Lever[])[] = [
  ['load'],
  ['ubatch'],
  ['slots'],
  ['placement'],
  ['slots', 'load', 'placement'],
  ['cache-type'],
  ['slots', 'cache-type'],
  ['cache-type', 'placement'],
  ['slots', 'cache-type', 'load', 'placement'],
  ['slots', 'cache-type', 'load', 'ubatch', 'placement'],
];
const ALL_LEVERS = LEVER_SETS.at(-1) ?? [];
const BUT_THE_CACHE: readonly Lever[] = ALL_LEVERS.filter((lever) => lever !== 'cache-type');

/**
 * What to change in a refused launch so that it fits, by how much is lost: single changes, and, when none of them leaves
 * model and context as they are, changes taken together. Empty only when no combination of them fits.
 */
export function launchChanges(trials: Trials, refused: Refused): readonly Suggestion[] {
  return new LaunchSearch(trials, refused).run();
}

/** A launch with everything changed that leaves it alone otherwise, where it fits. */
function cheapestFit(trials: Trials, levers: Levers, model: Attempt): Attempt | undefined {
  if (levers.fits(model)) return model;
  if (trials.floorExceeds(model.shape, model.launch)) return undefined;
  let isPossible = false;
  const isEnough = (): boolean =>
    (isPossible ||= [ALL_LEVERS, BUT_THE_CACHE].some((all) => levers.canFitWith(model, all)));
  for (const set of [...LEVER_SETS, BUT_THE_CACHE]) {
    // How much goes where takes longer to find out.
    if (set.includes('placement') && levers.canPlace(model) && !isEnough()) return undefined;
    const attempt = levers.pullAll(model, set);
    if (!levers.canFit(attempt)) continue;
    if (levers.fits(attempt)) return attempt;
    if (!isEnough()) return undefined;
  }
  return undefined;
}

class LaunchSearch {
  readonly #trials: Trials;
  /** The longest context to propose, in tokens of all slots: as asked for, and no more than is of use. */
  readonly #most: number;
  readonly #levers: Levers;
  readonly #asked: Attempt;
  /** The model as it is, and its smaller quantizations. */
  readonly #models: readonly Attempt[];
  /** Which of them is the first that fits with the launch as it was asked for; the number of all where none does. */
  readonly #alone: number;

  constructor(trials: Trials, refused: Refused) {
    this.#trials = trials;
    const { shape, launch, variants, estimate } = refused;
    this.#most = Math.min(estimate.resolved.nCtx, usefulContext(shape, launch, estimate.resolved));
    this.#levers = new Levers(trials, estimate.resolved);
    this.#asked = { shape, launch, changes: [] };
    this.#models = [this.#asked, ...variants.map((variant) => withVariant(variant, launch))];
    this.#alone = this.#firstOf((model) => this.#levers.fits(model), estimate);
  }

  run(): readonly Suggestion[] {
    const asked = this.#isHopeless(this.#asked) ? [] : this.#asIs();
    const smaller = [this.#shrinkContext(this.#asked), this.#models[this.#alone]];
    const beside = besideChanges(this.#trials, this.#levers, this.#asked);
    const isEnough = asked.length > 0 || beside.some((attempt) => this.#levers.fits(attempt));
    const together = [...(isEnough ? [] : this.#withLessBeside()), ...(asked.length > 0 ? [] : this.#combinations())];
    return ordered([...beside, ...asked, ...smaller, ...together].flatMap((attempt) => this.#found(attempt)));
  }

  /** Every single lever with which model and context stay as they are, else the fewest together. */
  #asIs(): readonly Attempt[] {
    const levers: readonly Lever[] = ['load', 'ubatch', 'slots', 'placement', 'cache-type'];
    const single = levers.flatMap((lever) => this.#levers.pull(this.#asked, lever) ?? []);
    const fitting = single.filter((attempt) => this.#levers.fits(attempt));
    if (fitting.length > 0) return fitting;
    const together = cheapestFit(this.#trials, this.#levers, this.#asked);
    return together === undefined ? [] : [together];
  }

  /** Less of projector and draft, and what else that takes, where neither is enough alone: the first that fits. */
  #withLessBeside(): readonly Attempt[] {
    const less = leastBeside(this.#trials, this.#asked);
    const found = firstFound(less, (attempt) => cheapestFit(this.#trials, this.#levers, attempt));
    return found === undefined ? [] : [found];
  }

  #found(attempt: Attempt | undefined): readonly Suggestion[] {
    const verdict = attempt && this.#trials.fitting(attempt.shape, attempt.launch);
    return verdict === undefined ? [] : [{ changes: attempt?.changes ?? [], verdict }];
  }

  /** What cannot shrink is too much already. */
  #isHopeless({ shape, launch }: Attempt): boolean {
    return this.#trials.floorExceeds(shape, launch);
  }

  /**
   * Which of the models is the first of which something holds that holds of all smaller ones, too; the number of all where there is
   * none. Looked for from there on where what is known of the model as it is would fit, with weights by the size of the file.
   */
  #firstOf(holds: (model: Attempt) => boolean, known: Pick<MemoryEstimate, 'parts'>): number {
    const { fileBytes } = this.#asked.shape;
    const { length } = this.#models;
    const share = ({ shape }: Attempt): number => shape.fileBytes / fileBytes;
    const found = this.#models.findIndex((model) => this.#trials.leftBySize(model.launch, known, share(model)) >= 0);
    const guess = found < 0 ? length : found;
    const at = (index: number): boolean => holds(this.#models[index] as Attempt);
    let first = guess;
    while (first < length && !at(first)) first++;
    if (first === guess) while (first > 0 && at(first - 1)) first--;
    return first;
  }

  /** With the largest context that fits; undefined when there is none of use. */
  #shrinkContext(attempt: Attempt): Attempt | undefined {
    if (this.#isHopeless(attempt)) return undefined;
    const bounds = { least: Math.min(LEAST_USEFUL_CONTEXT, this.#most), most: this.#most };
    const tokens = largestContext(this.#trials, attempt.shape, attempt.launch, bounds);
    return tokens === undefined ? undefined : changed(attempt, { ctxSize: tokens }, { kind: 'context', tokens });
  }

  /** The best quantization at all, and the best that leaves the context as it is, each with what else that takes. */
  #combinations(): readonly Attempt[] {
    const least = this.#trials.leastFixed(this.#asked.shape, this.#asked.launch);
    const possible = this.#firstOf((model) => !this.#isHopeless(model), least);
    const better = this.#models.slice(possible, this.#alone);
    const kept = firstFound(better, (model) => {
      const fit = cheapestFit(this.#trials, this.#levers, model);
      return fit && { model, fit };
    });
    const largest = kept === undefined ? better : better.slice(0, better.indexOf(kept.model));
    const cut = firstFound(largest, (model) => this.#withLessContext(model));
    return [cut, kept?.fit].flatMap((attempt) =>
      attempt !== undefined && attempt.changes.length > 1 ? [attempt] : [],
    );
  }

  /** With a smaller context, and with what else it takes where much of the context would be lost without. */
  #withLessContext(model: Attempt): Attempt | undefined {
    const enough = withContext(model, Math.ceil((this.#most * MUCH_OF_THE_CONTEXT) / CONTEXT_STEP) * CONTEXT_STEP);
    if (this.#levers.fits(enough)) return this.#shrinkContext(model);
    const compact = this.#levers.pull(model, 'cache-type');
    const shrunk = (compact && this.#shrinkContext(compact)) ?? this.#shrinkContext(model);
    if (shrunk !== undefined) return shrunk;
    const least = withContext(model, Math.min(LEAST_USEFUL_CONTEXT, this.#most));
    const sufficient = [ALL_LEVERS, BUT_THE_CACHE].find((set) => this.#levers.canFitWith(least, set));
    return sufficient && this.#shrinkPulled(model, sufficient);
  }

  /** The largest context that fits where levers are pulled anew for each: fewer layers on the GPU leave room for more. */
  #shrinkPulled(model: Attempt, levers: readonly Lever[]): Attempt | undefined {
    const sized = (count: number): Attempt => withContext(model, count * CONTEXT_STEP);
    const steps = largestOfWhich(
      (count) => this.#levers.canFitWith(sized(count), levers),
      Math.ceil(Math.min(LEAST_USEFUL_CONTEXT, this.#most) / CONTEXT_STEP),
      Math.floor(this.#most / CONTEXT_STEP),
      (count) => this.#levers.likelyFitsWith(sized(count), levers),
    );
    if (steps === undefined) return undefined;
    const tokens = steps * CONTEXT_STEP;
    const attempt = this.#levers.pullAll(withContext(model, tokens), levers);
    return changed(attempt, { ctxSize: tokens }, { kind: 'context', tokens });
  }
}

function withContext(model: Attempt, ctxSize: number): Attempt {
  return { ...model, launch: { ...model.launch, ctxSize } };
}

/** What loses least first; each set of changes once. */
function ordered(suggestions: readonly Suggestion[]): readonly Suggestion[] {
  const unique = new Map(suggestions.map((suggestion) => [JSON.stringify(suggestion.changes.map(keyOf)), suggestion]));
  return [...unique.values()].sort((a, b) => compareLosses(a.changes, b.changes));
}

function keyOf(change: Change): unknown {
  return change.kind === 'quantization' ? [change.kind, change.variant.quantization] : change;
}

function firstFound<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const result = find(item);
    if (result !== undefined) return result;
  }
  return undefined;
}
