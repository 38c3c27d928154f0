import { parsePattern } from './pattern-parser.js';
import { PatternStates } from './pattern-states.js';

/** Whether a name has, somewhere in it, what a pattern describes. */
export interface NamePattern {
  test(name: string): boolean;
}

/** A list of all tensors of a large model that are to go somewhere is half as long. */
const LONGEST_PATTERN = 16_384;

/** Nothing is repeated and few choices follow each other, so there is little that could be tried again and again. */
const SIMPLE = /^[^*+?{(]*(?:\([^*+?{(]*){0,3}$/;
const LONGEST_SIMPLE = 256;

/**
 * A regular expression for names of tensors, as JavaScript reads it and, in what both have, llama.cpp's `std::regex`. It takes a time in
 * proportion to pattern and name, where either of those would try `(a+)+$` for good; whoever may write a service could write that.
 * @throws SyntaxError for what is none, for one that refers back to what it has found, and for one that is longer than any list of names
 */
export function namePattern(pattern: string): NamePattern {
  if (pattern.length > LONGEST_PATTERN) throw new SyntaxError('too long');
  const native = new RegExp(pattern);
  if (pattern.length <= LONGEST_SIMPLE && SIMPLE.test(pattern)) return native;
  return new PatternStates(parsePattern(pattern));
}
