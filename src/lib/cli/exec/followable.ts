import type { MemoryCheck } from '../../preflight/memory-check.js';
import { valueCount } from '../../runtime/options/option-names.js';
import { EXEC_FLAGS } from './exec-options.js';

/** Advice that can be followed behind `exec`: what names a flag names one of its own, or an option of llama-server's. */
export function followable(suggestions: readonly string[]): readonly string[] {
  return suggestions.filter((text) => (text.match(/--[a-z][\w-]*/g) ?? []).every(isKnown));
}

/** A check with nothing but such advice. */
export function withFollowable<C extends MemoryCheck>(check: C): C {
  return { ...check, suggestions: followable(check.suggestions) };
}

function isKnown(flag: string): boolean {
  return Object.hasOwn(EXEC_FLAGS, flag.slice(2)) || valueCount(flag) !== undefined;
}
