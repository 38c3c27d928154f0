// How a bundle takes from oclif what a command is made of: without what oclif uses to find commands and to render help, neither of which
// happens there, and a spinner it makes on every terminal.
import { fileURLToPath } from 'node:url';

const EMPTY = fileURLToPath(new URL('empty-module.cjs', import.meta.url));

export const withoutPlugins = {
  alias: Object.fromEntries(['ejs', 'lilconfig', 'minimatch', 'tinyglobby'].map((name) => [name, EMPTY])),
  external: ['typescript', 'ts-node', 'tsx'],
};
