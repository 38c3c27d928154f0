import { expect, test } from '@jest/globals';
import { terminalWidth } from '../../../../src/lib/cli/terminal/terminal-width.js';

test.each([
  [200, 120],
  [100, 100],
  [20, 40],
])('lines for a terminal of %d columns have at most %d characters', (columns, width) => {
  expect(terminalWidth({ isTTY: true, columns })).toBe(width);
});
