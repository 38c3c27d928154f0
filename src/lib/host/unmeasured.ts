import { CheckIncompleteError } from '../errors.js';

/** What a system says of its memory, or does not say, where nothing can be worked out from that. */
export function unmeasured(problem: string, code = 'MEASUREMENT_FAILED'): CheckIncompleteError {
  return new CheckIncompleteError(code, problem, {
    suggestions: ['give the machine by hand: --system-memory 32Gi --in-use 4Gi'],
  });
}
