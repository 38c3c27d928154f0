import { jsonPieces, safeOutput } from '../../printable.js';
import { folded } from './terminal-width.js';

/*
 * The one way out: whatever a command writes goes through here, and so through `printable.ts`. Lint holds it.
 */

/** For people and scripts, on stdout. */
export function printOut(text: string): void {
  process.stdout.write(safeOutput(`${text}\n`, hasColours() ? 'keep' : 'none'));
}

/** As chalk decides it for reports. */
function hasColours(): boolean {
  const { FORCE_COLOR } = process.env;
  return FORCE_COLOR === undefined ? process.stdout.isTTY : FORCE_COLOR !== '0';
}

/** Long text in pieces, each once there is room for it: who reads slowly has none of it wait in memory. */
export async function printPieces(pieces: Iterable<string>): Promise<void> {
  const { stdout } = process;
  for (const piece of pieces) if (!stdout.write(safeOutput(`${piece}\n`))) await roomIn(stdout);
}

/** What is closed or failed takes no more, which is seen to where output fails. */
function roomIn(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    const events = ['drain', 'close', 'error'] as const;
    const go = (): void => {
      for (const event of events) stream.off(event, go);
      resolve();
    };
    for (const event of events) stream.on(event, go);
  });
}

/** For people, on stderr: broken between words on a terminal. */
export function printNotice(text: string): void {
  process.stderr.write(safeOutput(`${folded(text, process.stderr)}\n`, 'none'));
}

/** A line for programs that collect it, on stderr: whole, without secrets and whatever acts on a terminal. */
export function printLine(line: string): void {
  process.stderr.write(safeOutput(`${line}\n`, 'none'));
}

/** JSON of which not everything was taken yet. */
let waiting: Promise<void> | undefined;

/**
 * Machine-readable, on stdout: at once as far as there is room, the rest as it is read, so that long answers do not wait in memory; the
 * program ends after it.
 */
export function printJson(value: unknown): void {
  const pieces = jsonAndLineEnd(value);
  const rest = waiting === undefined ? written(pieces) : waiting.then(() => written(pieces));
  waiting = rest;
  void rest?.then(() => {
    if (waiting === rest) waiting = undefined;
  });
}

function* jsonAndLineEnd(value: unknown): Generator<string> {
  yield* jsonPieces(value);
  yield '\n';
}

/** Undefined where all of it was taken at once. */
function written(pieces: Iterator<string, void>): Promise<void> | undefined {
  const { stdout } = process;
  for (let next = pieces.next(); next.done !== true; next = pieces.next()) {
    if (!stdout.write(next.value)) return roomIn(stdout).then(() => written(pieces));
  }
  return undefined;
}

/** What another program reads to the letter, such as a manifest, on stdout; who makes it sees to it that it is harmless. */
export function printExactly(text: string): void {
  process.stdout.write(`${text}\n`);
}

interface Spinner {
  show(text: string): void;
  /** Makes room for a line on stdout. */
  clear(): void;
  stop(): void;
}

/** A line on stderr that turns and says what is being done. */
export async function startSpinner(text: string): Promise<Spinner> {
  const { default: ora } = await import('ora');
  // Discarding input puts the terminal in a mode in which nobody hears Ctrl-C, and who hides the cursor listens for signals to show it
  // again, for as long as the program runs: while it computes, nobody would hear of them.
  const spinner = ora({
    discardStdin: false,
    hideCursor: false,
    stream: process.stderr,
    text: safeOutput(text, 'none'),
  }).start();
  return {
    show: (changed) => {
      spinner.text = safeOutput(changed, 'none');
    },
    clear: () => void spinner.clear(),
    stop: () => void spinner.stop(),
  };
}
