import { harmless } from './printable.js';

/** Base of every error that is meant for a person: one sentence, a stable code, a documented exit code. */
export abstract class LlmkubeError extends Error {
  abstract readonly exitCode: number;
  readonly options: { readonly suggestions?: readonly string[]; readonly cause?: unknown };

  constructor(
    /** Stable, upper snake case, documented in docs/exit-codes.md. */
    readonly code: string,
    /** A sentence; several lines where each is a text of its own. */
    message: string | readonly string[],
    options: { suggestions?: readonly string[]; cause?: unknown } = {},
  ) {
    // What was typed, a file or a server may stand in it.
    const lines = typeof message === 'string' ? [message] : message;
    super(lines.map(harmless).join('\n'), options.cause === undefined ? {} : { cause: options.cause });
    const { suggestions } = options;
    this.options = suggestions === undefined ? options : { ...options, suggestions: suggestions.map(harmless) };
    this.name = new.target.name;
  }
}

/** The command line, the catalogue or a value in it is wrong. */
export class UsageError extends LlmkubeError {
  readonly exitCode = 2;
}

/** The check was completed and the model does not fit. */
export class InsufficientMemoryError extends LlmkubeError {
  readonly exitCode = 1;
}

/** The check could not be completed, so nothing may be deployed: fail closed. */
export class CheckIncompleteError extends LlmkubeError {
  readonly exitCode = 3;
}

/** The Kubernetes cluster could not be reached, refused, or reported a failure. */
export class ClusterError extends LlmkubeError {
  readonly exitCode = 4;
}
