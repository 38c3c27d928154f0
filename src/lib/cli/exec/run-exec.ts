import { existsSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { CheckIncompleteError, LlmkubeError, UsageError } from '../../errors.js';
import { guardHere } from '../../guard/guard-machine.js';
import { guardedSpawn } from '../../guard/guarded-spawn.js';
import { refuseOptionFiles } from '../../guard/option-files.js';
import { watchUntilResident } from '../../guard/watch-resident.js';
import { measureNvidia } from '../../host/gpu/nvidia.js';
import { defaultAccelerator, measureHost } from '../../host/measure-host.js';
import { thisMachine, type Probe } from '../../host/probe.js';
import { llamaCpp } from '../../runtime/llama-cpp.js';
import { AUTO_GPU_LAYERS, type Accelerator } from '../../runtime/launch-options.js';
import type { LaunchPatch } from '../../runtime/options/server-options.js';
import { namesTheModel, optionVariables, readServerCommand, type ServerCommand } from '../../runtime/server-command.js';
import { readNow } from '../../host/processes/process-memory.js';
import { safeOutput } from '../../printable.js';
import type { Room } from '../../preflight/advice/trials.js';
import { isDiscrete } from '../../preflight/judge/judge.js';
import { folded } from '../terminal/terminal-width.js';
import { asFailure, renderFailure, type OclifError } from '../terminal/render-failure.js';
import { readExecOptions, type ExecOptions } from './exec-options.js';
import { followable } from './followable.js';
import { findProgram } from './find-program.js';
import { requirement, type RequirementRequest, type SeenMachine } from './requirement.js';
import { notLlamaServer, serverProgram, type ServerProgram } from './server-program.js';
import { endAlike, supervise } from './supervise.js';

/** Runs `llmkube exec`; ends the process with the program's exit code, or with its own when nothing was run. */
export async function runExec(argv: readonly string[], cacheDir: string): Promise<void> {
  try {
    process.exitCode = await guardedExec(readExecOptions(argv, process.env), cacheDir);
  } catch (error) {
    const failure = asFailure(error as OclifError);
    say(renderFailure({ ...failure, suggestions: followable(failure.suggestions) }));
    process.exitCode = failure.exitCode;
  }
}

/** Everything that the guard says itself goes this way; the streams of the program are its own. */
function say(text: string): void {
  process.stderr.write(safeOutput(folded(text, process.stderr), 'none'));
}

async function guardedExec(options: ExecOptions, cacheDir: string): Promise<number> {
  refuseLoop(process.env);
  const cwd = process.cwd();
  const [name, ...args] = options.command;
  const server = serverProgram(options.command, process.env, cwd);
  const { words, env } = server;
  const program = { file: findProgram(name, process.env.PATH, cwd), args };
  const command = readCommand(options.command, server, cwd);
  if (command.kind === 'prints') return runUnchecked(program);
  refuseOptionFiles(env);
  if (command.kind === 'routes') {
    say(`Note: ${ROUTER}\n`);
    return runUnchecked(program);
  }
  const accelerator = options.accelerator ?? (await defaultHere());
  const request: RequirementRequest = {
    words,
    env: optionVariables(env),
    cwd,
    source: command.source,
    accelerator,
    cacheDir,
    program: server.file,
    seen: await seenMachine(accelerator, options, { env, isOpen: isOpen(command.patch) }),
  };
  const needed = await requirement(request, env);
  if (needed.kind === 'unknown') {
    say(`${needed.text}\n`);
    return needed.exitCode;
  }
  const { estimate, pinned } = needed;
  if (pinned.length > 0) {
    say(
      `Note: llama-server would choose ${pinned.join(' ')} by itself; it is told to, so that what runs is what was checked\n`,
    );
  }
  const { policy, gpuMemoryBytes } = options;
  const asked = { accelerator, gpuMemoryBytes, budgetBytes: policy.absoluteBytes };
  const machine = guardHere(asked, (wanted) => measureHost(wanted, { ...READING_AT_ONCE, env }));
  const who = options.name ?? `${basename(server.file)} ${basename(command.source)}`;
  const launch = {
    ...{ estimate, accelerator, policy, who, takesOverOwn: true },
    program: { ...program, args: [...args, ...pinned] },
  };
  const outcome = await guardedSpawn(launch, machine);
  if (outcome.warning !== undefined) say(`Note: ${outcome.warning}\n`);
  if (outcome.kind === 'refused') {
    say(`${await explained(request, { host: outcome.host, policy })}\n`);
    return 1;
  }
  const { started } = outcome;
  const { defaultPort } = llamaCpp(estimate.resolved.llamaCpp);
  const address = { ...command.address, port: command.address.port ?? defaultPort };
  const stopWatching = watchUntilResident(started, address, machine);
  const ended = await supervise(started.child);
  stopWatching();
  await started.release();
  return endAlike(ended);
}

/** Whether llama-server is to choose context or layers by itself. */
function isOpen({ ctxSize = 0, gpuLayers = AUTO_GPU_LAYERS, fit }: LaunchPatch): boolean {
  return fit !== false && (ctxSize === 0 || gpuLayers === AUTO_GPU_LAYERS);
}

/** Undefined where nothing of the machine matters to what a launch takes. */
async function seenMachine(
  accelerator: Accelerator,
  { gpuMemoryBytes, policy }: ExecOptions,
  { env, isOpen: choosesItself }: { env: NodeJS.ProcessEnv; isOpen: boolean },
): Promise<SeenMachine | undefined> {
  if (!choosesItself && !isDiscrete(accelerator)) return undefined;
  const wanted = { accelerator, gpuMemoryBytes, budgetBytes: policy.absoluteBytes };
  const host = await measureHost(wanted, { ...WITHOUT_USE, env });
  const { totalBytes, gpuWiredLimitBytes, unifiedMemory } = host;
  // Several share the layers by what is free on each; of one, what is in use would only have the same worked out again.
  const isAlone = !choosesItself && host.gpus?.length === 1;
  const gpus = isAlone ? host.gpus.map((gpu) => ({ ...gpu, usedBytes: 0 })) : host.gpus;
  return {
    totalBytes,
    ...(gpuWiredLimitBytes !== undefined && { gpuWiredLimitBytes }),
    ...(unifiedMemory !== undefined && { unifiedMemory }),
    ...(gpus && { gpus }),
  };
}

/** Everything that estimates and advises is loaded for this only. */
async function explained(request: RequirementRequest, room: Room): Promise<string> {
  const { explainRefusal } = await import('./explain-refusal.js');
  return explainRefusal(request, room);
}

/** What loads nothing needs no promise. */
async function runUnchecked({ file, args }: { file: string; args: readonly string[] }): Promise<number> {
  const { spawn } = await import('node:child_process');
  return endAlike(await supervise(spawn(file, args, { stdio: 'inherit' })));
}

const ROUTER =
  'without a model, llama-server starts one of its own for each that is asked for, and none of these is checked: name one with -m or -hf';

/** A program of another name is llama-server where its words name a model as those of llama-server do. */
function readCommand(whole: readonly string[], { words, env, isNamedSo }: ServerProgram, cwd: string): ServerCommand {
  try {
    const command = readServerCommand(words, env, cwd);
    if (isNamedSo || command.kind === 'loads') return command;
  } catch (error) {
    if (isNamedSo || !(error instanceof LlmkubeError && areOfAnother(words, error))) throw error;
  }
  throw notLlamaServer(whole);
}

/** Words of another program, which llama-server does not have or would read otherwise: `ls -l` biases no logits. */
function areOfAnother(words: readonly string[], { code }: LlmkubeError): boolean {
  return code === 'OPTION_UNKNOWN' || (code === 'INVALID_SERVER_OPTION' && !words.some(namesTheModel));
}

const DEPTH = 'LLMKUBE_EXEC_DEPTH';
const DEEPEST = 4;

/** A script called llama-server that runs `llmkube exec -- llama-server` finds itself again. */
function refuseLoop(env: NodeJS.ProcessEnv): void {
  const depth = Number(env[DEPTH] ?? 0);
  if (depth >= DEEPEST) {
    throw new UsageError('EXEC_LOOP', 'what exec runs is a script that runs exec again, and so on', {
      suggestions: ['name the real llama-server in it by its whole path'],
    });
  }
  env[DEPTH] = String(depth + 1);
}

/** Small files of the system, without the threads that waiting for them takes: those stay as long as the server. */
const READING_AT_ONCE: Probe = {
  ...thisMachine,
  readText: async (path) => readNow(path),
  list: async (folder) => listNow(folder),
};

function listNow(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** For what a machine has: who uses how much of it is asked when it is decided. */
const WITHOUT_USE: Probe = {
  ...READING_AT_ONCE,
  readText: async (path) => (path === '/proc/self/cgroup' ? undefined : readNow(path)),
  list: async (folder) => (folder === '/proc' ? [] : listNow(folder)),
};

const NVIDIA_DRIVER = '/proc/driver/nvidia/version';

/** Where there is an NVIDIA GPU, a build for it would take memory there that nobody checked. */
async function defaultHere(): Promise<Accelerator> {
  const accelerator = defaultAccelerator();
  if (accelerator === 'metal') return accelerator;
  const hasNvidia =
    existsSync(NVIDIA_DRIVER) || (await measureNvidia({ ...READING_AT_ONCE, env: process.env })) !== undefined;
  if (!hasNvidia) return accelerator;
  throw new CheckIncompleteError(
    'ACCELERATOR_UNKNOWN',
    'it is not known whether this llama-server uses the NVIDIA GPU',
    {
      suggestions: ['say what it runs on: --accelerator cuda, or --accelerator cpu'],
    },
  );
}
