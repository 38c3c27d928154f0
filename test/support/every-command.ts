import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../src/commands', import.meta.url));

/** Every command of the program, as it is typed: `catalog check`. */
export const EVERY_COMMAND: readonly string[] = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => path.replace(/\.ts$/, '').replaceAll(/[/\\]/g, ' '))
  .sort();

/** Which commands are typed by these words, once each. */
export function commandsOf(typed: readonly (readonly string[])[]): readonly string[] {
  const names = typed.map((words) => {
    const both = words.slice(0, 2).join(' ');
    return EVERY_COMMAND.includes(both) ? both : (words[0] ?? '');
  });
  return [...new Set(names)].sort();
}
