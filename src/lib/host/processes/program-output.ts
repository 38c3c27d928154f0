/** What a program printed, and whether it ended with anything but 0. */
interface ProgramOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly failed: boolean;
}

interface Bounds {
  readonly timeoutMs: number;
  readonly mostBytes: number;
}

/**
 * Runs a program to its end and gives what it printed; undefined when it is not there, prints too much or is still running
 * after so long, whatever it waits for.
 */
export async function programOutput(
  program: string,
  args: readonly string[],
  { timeoutMs, mostBytes }: Bounds,
  env: NodeJS.ProcessEnv = process.env,
): Promise<ProgramOutput | undefined> {
  const { execFile } = await import('node:child_process');
  return new Promise((resolve) => {
    const child = execFile(program, [...args], { maxBuffer: mostBytes, env }, (error, stdout, stderr) => {
      clearTimeout(timer);
      // A word is why it could not be run or heard out.
      resolve(typeof error?.code !== 'string' ? { stdout, stderr, failed: error !== null } : undefined);
    });
    // One that waits for a driver cannot be ended by any signal, and one that it started keeps its output open.
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
      child.unref();
      resolve(undefined);
    }, timeoutMs);
  });
}
