import type { MemoryCheck } from '../../preflight/memory-check.js';
import type { CommandOf } from '../../report/words/advice-text.js';
import { failureText } from '../../report/words/failure-text.js';
import { warningsOf } from '../../report/words/warnings.js';
import { terminalWidth } from './terminal-width.js';

/** Why a model is not let through, what would be, and what else is to be known, for stderr. */
export async function refusalText(
  check: MemoryCheck,
  word: 'Error' | 'Warning' = 'Error',
  commandOf?: CommandOf,
): Promise<string> {
  const notes = warningsOf(check).map((warning) => `Note: ${warning}`);
  if (check.advice === undefined || check.advice.length === 0) return [failureText(check, word), ...notes].join('\n');
  const { adviceText } = await import('../../report/words/advice-text.js');
  const advice = adviceText(check, terminalWidth(process.stderr), commandOf);
  return [failureText(check, word), ...advice, ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}
