/** What can be typed: models, quantizations, and of each command its flags. */
export interface Completions {
  readonly models: readonly string[];
  readonly quantizations: readonly string[];
  /** By its words, such as `catalog check`. */
  readonly commands: Readonly<Record<string, readonly string[]>>;
}

export const SHELLS = ['bash', 'zsh'] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * A script to source. All that it proposes stands in it, so that a Tab starts nothing. zsh runs the same function through its
 * own bashcompinit.
 */
export function completionScript(shell: Shell, { models, quantizations, commands }: Completions): string {
  const cases = Object.entries(commands).map(([words, flags]) => `    '${words}') echo '${flags.join(' ')}' ;;`);
  return [
    ...(shell === 'zsh' ? ['autoload -U +X compinit && compinit', 'autoload -U +X bashcompinit && bashcompinit'] : []),
    '_llmkube_flags() {',
    '  case "$1" in',
    ...cases,
    '  esac',
    '}',
    '_llmkube_seconds() {',
    '  case "$1" in',
    ...secondWords(commands),
    '  esac',
    '}',
    '_llmkube() {',
    '  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" own flags words',
    `  local models='${models.join(' ')}'`,
    `  local commands='${[...new Set(Object.keys(commands).map((words) => words.split(' ')[0]))].join(' ')}'`,
    '  own="${COMP_WORDS[1]}"; flags="$(_llmkube_flags "$own ${COMP_WORDS[2]}")"',
    '  [ -n "$flags" ] || flags="$(_llmkube_flags "$own")"',
    '  case "$before" in',
    `    -q|--quantization) words='${quantizations.join(' ')}' ;;`,
    '    *)',
    '      if [ "$COMP_CWORD" -eq 1 ]; then words="$commands"',
    '      elif [ "${word#-}" != "$word" ]; then words="$flags"',
    '      else words="$models $(_llmkube_seconds "$own")"; fi ;;',
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
    '  [ "${#COMPREPLY[@]}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))',
    '}',
    'complete -F _llmkube llmkube',
    '',
  ].join('\n');
}

/** The second words of topics, such as `check` of `catalog check`. */
function secondWords(commands: Completions['commands']): string[] {
  const topics = new Map<string, string[]>();
  for (const words of Object.keys(commands)) {
    const [topic = '', second] = words.split(' ');
    if (second !== undefined) topics.set(topic, [...(topics.get(topic) ?? []), second]);
  }
  return [...topics].map(([topic, seconds]) => `    '${topic}') echo '${seconds.join(' ')}' ;;`);
}
