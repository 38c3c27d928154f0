import { basename } from 'node:path';

/** How the command line of a wrapper is read up to the command. */
interface Wrapper {
  /** Its options that are one word, whatever they hold. */
  readonly options: RegExp;
  /** Its options whose value is the next word. */
  readonly withValue?: readonly string[];
  /** Words before the command that are no options. */
  readonly operands?: RegExp;
  /** It reads the command as a file, which is not looked up in `PATH`. */
  readonly interprets?: boolean;
}

const SHELL: Wrapper = { options: /^-[eux]+$/, interprets: true };
const PYTHON: Wrapper = { options: /^-[BEIOsu]+$/, interprets: true };

const NUMA_NODES = ['--interleave', '--weighted-interleave', '--cpunodebind', '--physcpubind', '--membind'];
const NUMA_VALUES = [...NUMA_NODES, '--preferred', '--preferred-many', '-i', '-w', '-N', '-C', '-m', '-p', '-P'];

/**
 * Programs that become the command behind their own options, under their own process number (coreutils, util-linux, numactl, macOS). Those
 * that stay beside it (`time`, `timeout`, `sudo`, `caffeinate`) are none: what the ledger says of them would not be true of the server.
 */
const WRAPPERS: Readonly<Record<string, Wrapper>> = {
  env: { options: /^$/, operands: /^[A-Za-z_]\w*=/ },
  nice: { options: /^(-n?-?\d+|--adjustment=-?\d+)$/, withValue: ['-n', '--adjustment'] },
  nohup: { options: /^$/ },
  ionice: {
    options: /^(-[cn]\d|-t|--ignore|--class=\w+|--classdata=\d)$/,
    withValue: ['-c', '-n', '--class', '--classdata'],
  },
  taskset: { options: /^(-[ac]+|--all-tasks|--cpu-list)$/, operands: /^(0x)?[\da-f]+([,:-][\da-f]+)*$/i },
  chrt: {
    options: /^(-[abdfior]+|--(all-tasks|batch|fifo|idle|other|rr|reset-on-fork))$/,
    operands: /^\d+$/,
  },
  numactl: {
    options: new RegExp(
      `^(-[iwNCmpP].+|-[alb]+|--(all|localalloc|balancing)|(${NUMA_NODES.join('|')}|--preferred(-many)?)=.+)$`,
    ),
    withValue: NUMA_VALUES,
  },
  stdbuf: {
    options: /^(-[ioe].+|--(input|output|error)=.+)$/,
    withValue: ['-i', '-o', '-e', '--input', '--output', '--error'],
  },
  setsid: { options: /^(-[cw]+|--ctty|--wait)$/ },
  arch: { options: /^-arm64e?$/, withValue: ['-arch'] },
  sh: SHELL,
  bash: SHELL,
  dash: SHELL,
  zsh: SHELL,
  python: PYTHON,
  python3: PYTHON,
};

export interface WrappedCommand {
  /** The program that is there in the end, and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** Variables that are set for it on the way, in the order of their words. */
  readonly assigned: readonly (readonly [name: string, value: string])[];
  /** The program is a file that is interpreted. */
  readonly isInterpreted: boolean;
}

/** What a command comes to behind the wrappers before it; where one of them is not understood, the wrapper itself. */
export function behindWrappers(command: readonly [string, ...string[]]): WrappedCommand {
  const wrapper = wrapperNamed(command[0]);
  const behind = wrapper && commandBehind(wrapper, command);
  if (behind === undefined) return { command, assigned: [], isInterpreted: false };
  if (behind.isInterpreted) return behind;
  const inner = behindWrappers(behind.command);
  return { ...inner, assigned: [...behind.assigned, ...inner.assigned] };
}

export function isWrapper(program: string): boolean {
  return wrapperNamed(program) !== undefined;
}

function wrapperNamed(program: string): Wrapper | undefined {
  const name = basename(program);
  return Object.hasOwn(WRAPPERS, name) ? WRAPPERS[name] : undefined;
}

function commandBehind(
  { options, withValue = [], operands, interprets = false }: Wrapper,
  words: readonly string[],
): WrappedCommand | undefined {
  const isOption = (word: string): boolean => word.startsWith('-') && word !== '--';
  let at = 1;
  for (let word = words[at]; word !== undefined && isOption(word); word = words[at]) {
    if (withValue.includes(word)) at += 2;
    else if (options.test(word)) at += 1;
    else return undefined;
  }
  if (words[at] === '--') at += 1;
  const first = at;
  while (operands?.test(words[at] ?? '')) at += 1;
  const assigned = words.slice(first, at).flatMap((word) => assignment(word));
  const [program, ...args] = words.slice(at);
  return program === undefined ? undefined : { command: [program, ...args], assigned, isInterpreted: interprets };
}

function assignment(word: string): readonly (readonly [string, string])[] {
  const equals = word.indexOf('=');
  return equals < 0 ? [] : [[word.slice(0, equals), word.slice(equals + 1)]];
}
