import type { Random } from './making/random.js';

/**
 * Something that takes input from outside. `run` gives it one input; whatever it throws but an `LlmkubeError` is a
 * finding, and so is a `Finding`. Another kind of input is another subject in the list of `fuzz.ts`.
 */
export interface Subject {
  readonly name: string;
  readonly run: (random: Random) => void | Promise<void>;
}

/** An answer that must not be. */
export class Finding extends Error {}
