import { realpathSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { CheckIncompleteError } from '../../errors.js';
import { printable } from '../../printable.js';
import { findProgram } from './find-program.js';
import { behindWrappers, isWrapper } from './wrappers.js';

/** What a command of `exec` starts. */
export interface ServerProgram {
  /** The file of what is there in the end, behind the wrappers before it. */
  readonly file: string;
  /** Its own words. */
  readonly words: readonly string[];
  /** Its environment. */
  readonly env: NodeJS.ProcessEnv;
  /** It is called llama-server. Anything else is taken for one only where its words name a model as those of llama-server do. */
  readonly isNamedSo: boolean;
}

const SERVER = /llama[-_.]?(cpp[-_.]?)?server/i;

/** Other engines that take the same words, and load otherwise. */
const OTHER_ENGINE =
  /^llama-(cli|batched|bench|completion|cvector|debug|diffusion|embedding|eval|export|fit|gemma3|gguf|imatrix|llava|lookahead|lookup|minicpmv|mtmd|parallel|passkey|perplexity|qwen2vl|quantize|results|retrieval|run|save-load|simple|speculative|tokenize|tts)|^llama-box|^koboldcpp|llamafile/i;

/** llama.cpp's programs in one (`app/llama.cpp` of v0.5.0): the first word says which. */
const ALL_IN_ONE = /^llama$/;
const SERVES = ['serve', 'server'];
const SAYS = /^(--)?(version|licenses|credits|help)$/;

/**
 * Finds llama-server in a command.
 * @param env that of the command
 * @throws UsageError PROGRAM_NOT_FOUND
 * @throws CheckIncompleteError NOT_LLAMA_SERVER
 */
export function serverProgram(
  command: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
  cwd: string,
): ServerProgram {
  const { command: behind, assigned, isInterpreted } = behindWrappers(command);
  const [program, ...words] = behind;
  if (!isInterpreted && isWrapper(program)) throw notLlamaServer(command);
  const ownEnv = { ...env, ...Object.fromEntries(assigned) };
  const file = isInterpreted ? interpretedFile(program, cwd) : findProgram(program, ownEnv.PATH, cwd);
  if (file === undefined) throw notLlamaServer(command);
  const names = [basename(program), basename(realpathSync(file))];
  if (names.some((name) => SERVER.test(name))) return { file, words, env: ownEnv, isNamedSo: true };
  if (names.some((name) => ALL_IN_ONE.test(name))) return allInOne(command, { file, words, env: ownEnv });
  const isOther = names.some((name) => OTHER_ENGINE.test(name));
  if (isOther) throw notLlamaServer(command, 'run the model with llama-server to have it checked');
  if (isInterpreted) throw notLlamaServer(command);
  return { file, words, env: ownEnv, isNamedSo: false };
}

function interpretedFile(path: string, cwd: string): string | undefined {
  const file = resolve(cwd, path);
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? file : undefined;
}

function allInOne(
  command: readonly string[],
  { words: [first = 'help', ...words], ...found }: Omit<ServerProgram, 'isNamedSo'>,
): ServerProgram {
  if (SERVES.includes(first)) return { ...found, words, isNamedSo: true };
  if (SAYS.test(first)) return { ...found, words: ['--version'], isNamedSo: true };
  throw notLlamaServer(command);
}

/** Nobody can see from here what another program, a script or a shell is going to start. */
export function notLlamaServer(command: readonly string[], advice = whereToWriteExec(command)): CheckIncompleteError {
  const program = printable(basename(command[0] ?? ''));
  return new CheckIncompleteError(
    'NOT_LLAMA_SERVER',
    `exec checks llama-server only, and what ${program} is going to load cannot be told from here`,
    { suggestions: [advice] },
  );
}

function whereToWriteExec([program = '', ...words]: readonly string[]): string {
  const at = words[0] === '-c' ? -1 : words.findIndex(isNamedLikeServer);
  const before = [basename(program), ...words.slice(0, Math.max(0, at))].map(printable);
  return at < 0
    ? `write "llmkube exec --" before llama-server itself, in what ${before.join(' ')} runs`
    : `put the other program in front: ${before.join(' ')} llmkube exec -- ${printable(words[at] ?? '')} …`;
}

function isNamedLikeServer(word: string): boolean {
  return /^[^\s-]\S*$/.test(word) && SERVER.test(basename(word));
}
