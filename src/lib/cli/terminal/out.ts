import { jsonPieces, safeOutput } from '../../printable.js';
import { folded } from './folded.js';

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

/** For people, on stderr: broken between words on a terminal. */
export function printNotice(text: string): void {
  process.stderr.write(safeOutput(`${folded(text, process.stderr)}\n`, 'none'));
}

/** A line for programs that collect it, on stderr: whole, without secrets and whatever acts on a terminal. */
export function printLine(line: string): void {
  process.stderr.write(safeOutput(`${line}\n`, 'none'));
}

/** Machine-readable, on stdout. */
export function printJson(value: unknown): void {
  for (const piece of jsonPieces(value)) process.stdout.write(piece);
  process.stdout.write('\n');
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
