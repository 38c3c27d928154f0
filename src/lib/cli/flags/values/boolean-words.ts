const TRUE_WORDS: readonly string[] = ['true', 't', 'yes', 'y', 'on', 'enabled', '1'];
const FALSE_WORDS: readonly string[] = ['false', 'f', 'no', 'n', 'off', 'disabled', '0'];

/** As people, shells and llama-server write that something is on, in either case. */
export function isTrueWord(text: string): boolean {
  return TRUE_WORDS.includes(text.trim().toLowerCase());
}

export function isFalseWord(text: string): boolean {
  return FALSE_WORDS.includes(text.trim().toLowerCase());
}
