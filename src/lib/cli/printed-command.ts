import { typedChanges } from '../preflight/advice/typed-changes.js';
import { type Change, changedLaunch } from '../preflight/advice/advice.js';
import { isDiscrete } from '../preflight/judge/judge.js';
import type { MemoryCheck } from '../preflight/memory-check.js';
import type { CommandOf } from '../report/words/advice-text.js';
import type { Accelerator } from '../runtime/launch-options.js';
import { UsageError } from '../errors.js';
import { namingChanges, placingWords } from '../preflight/server-choice.js';
import { serverWords } from '../preflight/printed-words.js';
import { parseServerArguments } from '../runtime/server-arguments.js';
import { shellWord } from '../shell-word.js';
import { requireDeployable } from './deploy/staging.js';
import { budgetFlags } from './flags/machine-flags.js';
import { fileFlag, launchFlags } from './flags/launch-flags.js';
import { catalogFlag } from './flags/model-flags.js';
import type { PrintedCommand } from './flags/print-flag.js';
import { assignments, deployedSecrets, secretNotes, secretsAsVariables } from './secret-variables.js';
import { type RawToken, typedCommand } from './terminal/typed-command.js';

/** What a deploy has a use for. */
const DEPLOY_FLAGS: Readonly<Record<string, { readonly type: string }>> = {
  ...launchFlags,
  ...fileFlag,
  ...budgetFlags,
  catalog: catalogFlag,
};

const EXEC_POLICY: ReadonlySet<string> = new Set(['accelerator', 'memory-fraction', 'memory-budget', 'gpu-memory']);

const UNREADABLE = 'llama-server cannot read one of these files where it lies; download it, and name its path';

/** The command of a launch, and those of the advice on it. */
export interface PrintedCommands {
  readonly own: readonly string[] | undefined;
  readonly of: CommandOf;
  /** Why there is no command of its own, or what is to be done before it can be run, a sentence each. */
  readonly notes: readonly string[];
}

/** The commands of a check and of its advice. */
export function commandsOf(check: MemoryCheck, kind: PrintedCommand, raw: readonly RawToken[]): PrintedCommands {
  const { verdict } = check;
  const own = verdict.kind === 'unknown' ? undefined : printedCommand(kind, check, [], verdict.estimate.resolved, raw);
  const isMissing = own === undefined && verdict.kind !== 'unknown';
  return {
    own,
    notes: isMissing
      ? [`no command: ${(kind === 'deploy' ? whyNoDeploy(check) : undefined) ?? UNREADABLE}`]
      : secretNotes(own ?? []),
    of: (advice) => printedCommand(kind, check, advice.changes, advice.verdict.estimate.resolved, raw),
  };
}

/**
 * The command that runs what was checked, with changes made: the words of a shell's line, of which some go together; undefined
 * where there is none.
 */
export function printedCommand(
  kind: PrintedCommand,
  check: MemoryCheck,
  changes: readonly Change[],
  resolved: { readonly nCtx: number },
  raw: readonly RawToken[],
): readonly string[] | undefined {
  if (changes.some((change) => change.kind === 'machine') || isInExtraArgs(changes, check.extraWords)) return undefined;
  if (kind === 'deploy') {
    const typed = raw.filter(({ type, flag }) => type === 'flag' && flag !== undefined && flag in DEPLOY_FLAGS);
    return deployCommand(check, changes, typed);
  }
  const all = serverWords(check, changes, resolved, process.env);
  if (all === undefined) return undefined;
  const { words, variables } = secretsAsVariables(all);
  const started = kind === 'exec' ? [...execWords(check.launch.accelerator, changes, raw), '--'] : [];
  return [...assignments(variables), ...started, ...grouped(words)];
}

/** What `exec` is to judge by, as it was typed or is advised; the machine it looks at itself. */
function execWords(accelerator: Accelerator, changes: readonly Change[], raw: readonly RawToken[]): readonly string[] {
  const given = raw.filter(({ type }) => type === 'flag');
  // Its flag is the memory of one GPU of its own: others it measures.
  const isMeasured = given.some(
    ({ flag, input }) => flag === 'gpus' || flag === 'unified-memory' || (flag === 'gpu-memory' && input.includes(',')),
  );
  const typed = given.filter(({ flag = '' }) => EXEC_POLICY.has(flag) && !(flag === 'gpu-memory' && isMeasured));
  const { flags } = typedChanges(
    changes.filter(({ kind }) => kind === 'memory-fraction'),
    [],
  );
  return typedCommand(['llmkube', 'exec'], typed, [...foundWords(accelerator, typed), ...flags], () => false);
}

/** The accelerator of this machine where it was found, not typed: neither deploy nor exec looks for it. */
function foundWords(accelerator: Accelerator, typed: readonly RawToken[]): readonly string[] {
  const isTyped = typed.some(({ flag }) => flag === 'accelerator');
  return isTyped || !isDiscrete(accelerator) ? [] : [`--accelerator ${accelerator}`];
}

/** Whether something is to be left out that llama-server's own arguments say, which are printed as they were typed. */
function isInExtraArgs(changes: readonly Change[], extraWords: readonly string[]): boolean {
  const { draft, specTypes, mmproj } = parseServerArguments(extraWords).options;
  return changes.some((change) => {
    const { kind } = change;
    return (
      (change.kind === 'cpu-experts' && change.isFewer === true) ||
      (kind === 'projector' && mmproj !== undefined) ||
      (kind === 'no-draft' && (draft !== undefined || specTypes !== undefined))
    );
  });
}

/** Why no deploy can carry a launch with changes made, whatever the cluster is like: a sentence; undefined where one can. */
export function whyNoDeploy(check: MemoryCheck, changes: readonly Change[] = []): string | undefined {
  const { projector, ...rest } = check;
  // A deploy loads no projector that was only found.
  const isLoaded = projector !== undefined && projector.reason !== 'beside';
  const isLeftOut = changes.some(({ kind }) => kind === 'projector');
  const launch = changedLaunch(check.launch, changes);
  try {
    requireDeployable({ ...rest, launch, ...(isLoaded && !isLeftOut && { projector }) } as MemoryCheck);
    return undefined;
  } catch (error) {
    if (error instanceof UsageError) return `no deploy can carry this launch: ${error.message}`;
    throw error;
  }
}

/**
 * A deploy of the same launch: what was typed, what llama-server chose, for a deploy leaves it nothing to choose, and what is
 * changed; undefined where no deploy can carry it.
 * @param typed flags that deploy has too
 * @param more flags beside those of the changes
 */
export function deployCommand(
  check: MemoryCheck,
  changes: readonly Change[],
  typed: readonly RawToken[],
  more: readonly string[] = [],
): readonly string[] | undefined {
  if (whyNoDeploy(check, changes) !== undefined) return undefined;
  const { choice, asked, extraWords } = check;
  const named = choice === undefined ? [] : namingChanges(choice, changes);
  const placed = choice === undefined || changes.length > 0 ? [] : grouped(placingWords(choice, asked));
  const { flags, leaveOut = [] } = typedChanges([...changes, ...named], extraWords);
  const start = ['llmkube', 'deploy', shellWord(check.model)];
  const found = more.some((word) => word.startsWith('--accelerator '))
    ? []
    : foundWords(check.launch.accelerator, typed);
  const secret = deployedSecrets(typed.filter(({ flag }) => !leaveOut.includes(`--${flag}`)));
  return typedCommand(
    start,
    secret.typed,
    [...found, ...flags, ...placed, ...more, ...secret.flags],
    (flag) => DEPLOY_FLAGS[flag]?.type === 'boolean',
  );
}

/** An option and its value stay on one line. */
function grouped(words: readonly string[]): readonly string[] {
  const pieces: string[] = [];
  for (const word of words) {
    const last = pieces.at(-1);
    const isValue =
      last !== undefined && /^-{1,2}[a-z]/i.test(last) && !last.includes(' ') && !/^-{1,2}[a-z]/i.test(word);
    if (isValue) pieces[pieces.length - 1] = `${last} ${shellWord(word)}`;
    else pieces.push(shellWord(word));
  }
  return pieces;
}
