import { homedir } from 'node:os';

/** Where Docker puts a user who has no folder. */
const OF_NOBODY = '/';

/** This user's folder: `HOME`, else what the system knows. It fails for a user whom it does not, as containers run programs by number. */
export function homeFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  if (env.HOME) return env.HOME;
  try {
    return homedir();
  } catch {
    return OF_NOBODY;
  }
}
