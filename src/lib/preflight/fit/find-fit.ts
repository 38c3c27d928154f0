import type { CompleteCheck } from '../memory-check.js';
import { searchProven, type AdviceSources } from '../advice/find-advice.js';
import { fitLaunch, type FittedLaunch } from './fit-launch.js';
import type { FitRequest, Preference } from './fit-search.js';
import { Trials } from '../advice/trials.js';

/** The best launch of a model that was checked, on the machine that it was checked for; undefined when there is none. */
export async function findFit(
  check: CompleteCheck,
  prefer: Preference,
  asked: FitRequest['asked'],
  sources: AdviceSources,
): Promise<FittedLaunch | undefined> {
  const { shape, launch, room, resolved, header, overrides } = check;
  const trials = new Trials(room);
  const fitted = await searchProven(
    { shape, resolved, overrides, origin: header.origin },
    sources,
    'all',
    (variants) => fitLaunch(trials, { shape, launch, variants, prefer, asked }),
    (found) => (found?.variant?.isProven === false ? [found.variant] : []),
  );
  return fitted?.variant?.isProven === false ? undefined : fitted;
}
