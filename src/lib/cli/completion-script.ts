/** A flag that has a value, in all its spellings: what that can be, or nothing for files and amounts. */
export interface ValuedFlag {
  readonly name: string;
  readonly spellings: readonly string[];
  readonly values: readonly string[];
}

/** What can be typed: models, quantizations, and of each command its flags. */
export interface Completions {
  readonly models: readonly string[];
  readonly quantizations: readonly string[];
  /** By its words, such as `catalog check`. */
  readonly commands: Readonly<Record<string, readonly string[]>>;
  readonly valued: readonly ValuedFlag[];
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * A script to source. All that it proposes stands in it, so that a Tab starts nothing. zsh runs the same function through its
 * own bashcompinit.
 */
export function completionScript(shell: Shell, completions: Completions): string {
  return shell === 'fish' ? fishScript(completions) : bashScript(shell, completions);
}

function bashScript(shell: Shell, { models, quantizations, commands, valued }: Completions): string {
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
    '  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" own flags words seconds',
    `  local models='${models.join(' ')}'`,
    `  local commands='${firstWords(commands).join(' ')}'`,
    '  own="${COMP_WORDS[1]}"; flags="$(_llmkube_flags "$own ${COMP_WORDS[2]}")"',
    '  [ -n "$flags" ] || flags="$(_llmkube_flags "$own")"',
    '  case "$before" in',
    `    -q|--quantization) words='${quantizations.join(' ')}' ;;`,
    ...valued.map(({ spellings, values }) => `    ${spellings.join('|')}) words='${values.join(' ')}' ;;`),
    '    *)',
    '      seconds="$(_llmkube_seconds "$own")"',
    '      if [ "$COMP_CWORD" -eq 1 ]; then words="$commands"',
    '      elif [ "${word#-}" != "$word" ]; then words="$flags"',
    '      elif [ "$COMP_CWORD" -eq 2 ] && [ -n "$seconds" ]; then words="$seconds"',
    '      else words="$models"; fi ;;',
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
    '  [ "${#COMPREPLY[@]}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))',
    '}',
    'complete -F _llmkube llmkube',
    '',
  ].join('\n');
}

/** fish asks one `complete` line after another; each says by the words before it whether it is meant. Files are proposed, too. */
function fishScript({ models, quantizations, commands, valued }: Completions): string {
  const topics = [...topicsOf(commands).keys()].join(' ');
  const seen = '__fish_seen_subcommand_from';
  const said = (words: string): string => {
    const [first = '', second] = words.split(' ');
    return `${seen} ${first}; and ${second === undefined ? `not ${seen} ${topics}` : `${seen} ${second}`}`;
  };
  const line = (condition: string, what: string): string => `complete -c llmkube -n '${condition}' ${what}`;
  const valuesOf = new Map(valued.map(({ name, values }) => [`--${name}`, values]));
  const flagLine = (words: string, flag: string): string => {
    const values = valuesOf.get(flag);
    const value = values === undefined ? '' : values.length === 0 ? ' -r' : ` -x -a '${values.join(' ')}'`;
    return line(said(words), `-l ${flag.slice(2)}${value}`);
  };
  const inTopic = `${seen} ${topics}; and test (count (commandline -opc)) -lt 3`;
  return [
    `set -l commands ${firstWords(commands).join(' ')}`,
    'complete -c llmkube -n "not __fish_seen_subcommand_from $commands" -f -a "$commands"',
    `complete -c llmkube -n "__fish_seen_subcommand_from $commands; and not begin; ${inTopic}; end" -a '${models.join(' ')}'`,
    `complete -c llmkube -s q -l quantization -x -a '${quantizations.join(' ')}'`,
    ...[...topicsOf(commands)].map(([topic, seconds]) =>
      line(`${seen} ${topic}; and test (count (commandline -opc)) -lt 3`, `-f -a '${seconds.join(' ')}'`),
    ),
    ...Object.entries(commands).flatMap(([words, flags]) =>
      flags.filter((flag) => flag !== '--quantization').map((flag) => flagLine(words, flag)),
    ),
    '',
  ].join('\n');
}

function firstWords(commands: Completions['commands']): readonly string[] {
  return [...new Set(Object.keys(commands).map((words) => words.split(' ')[0] ?? ''))];
}

/** The second words of topics, such as `check` of `catalog check`. */
function topicsOf(commands: Completions['commands']): ReadonlyMap<string, readonly string[]> {
  const topics = new Map<string, string[]>();
  for (const words of Object.keys(commands)) {
    const [topic = '', second] = words.split(' ');
    if (second !== undefined) topics.set(topic, [...(topics.get(topic) ?? []), second]);
  }
  return topics;
}

function secondWords(commands: Completions['commands']): string[] {
  return [...topicsOf(commands)].map(([topic, seconds]) => `    '${topic}') echo '${seconds.join(' ')}' ;;`);
}
