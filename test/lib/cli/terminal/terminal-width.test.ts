import { afterEach, describe, expect, test } from '@jest/globals';
import { folded, terminalWidth } from '../../../../src/lib/cli/terminal/terminal-width.js';

test.each([
  [200, 120],
  [100, 100],
  [20, 40],
])('lines for a terminal of %d columns have at most %d characters', (columns, width) => {
  expect(terminalWidth({ isTTY: true, columns })).toBe(width);
});

describe('lines that are piped', () => {
  const PIPE = { isTTY: false };
  const NOTE = 'Note: one two three four five six seven eight nine';
  const ERROR = `Error: one two three four five six seven eight nine
  Suggestion: one two three four five six seven eight nine`;
  const before = process.env.COLUMNS;

  afterEach(() => {
    if (before === undefined) delete process.env.COLUMNS;
    else process.env.COLUMNS = before;
  });

  test('are whole for scripts', () => {
    delete process.env.COLUMNS;
    expect(folded(NOTE, PIPE)).toBe(NOTE);
  });

  test('are broken between words where COLUMNS says how wide, but not what scripts look for', () => {
    process.env.COLUMNS = '40';
    expect(folded(NOTE, PIPE)).toBe('Note: one two three four five six seven\n      eight nine');
    expect(folded(ERROR, PIPE)).toBe(ERROR);
    expect(folded(ERROR, { isTTY: true, columns: 40 } as never)).not.toBe(ERROR);
  });
});
