import { LlmkubeError } from '../../errors.js';
import { InterruptedError } from './interrupt.js';

/** What every failure comes down to, whoever threw it. */
interface Failure {
  readonly exitCode: number;
  readonly code: string;
  readonly message: string;
  readonly suggestions: readonly string[];
}

/** What oclif's own errors (a flag that does not exist, a missing argument) carry beside their message. */
export interface OclifError extends Error {
  readonly oclif?: { readonly exit?: number | false };
  readonly code?: string;
}

export function asFailure(error: OclifError): Failure {
  if (error instanceof LlmkubeError) {
    const { code, exitCode, message, options } = error;
    return { code, exitCode, message, suggestions: options.suggestions ?? [] };
  }
  if (error instanceof InterruptedError) {
    const { code, exitCode, message, suggestions } = error;
    return { code, exitCode, message, suggestions };
  }
  if (error.oclif !== undefined) {
    const message = error.message.replace(/\nSee more help with --help$/, '');
    return { code: 'USAGE', exitCode: 2, message, suggestions: ['see the same command with --help'] };
  }
  return {
    code: 'INTERNAL',
    exitCode: 3,
    message: `unexpected ${error.name}: ${error.message}`,
    suggestions: ['run it again with DEBUG=* for the stack trace, and report it'],
  };
}

/** For stderr. */
export function renderFailure({ message, suggestions }: Failure): string {
  const advice = suggestions.map((suggestion) => `  Suggestion: ${suggestion}\n`);
  return `Error: ${message}\n${advice.join('')}`;
}
