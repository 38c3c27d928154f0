import { describe, expect, test } from '@jest/globals';
import { foldLines } from '../../../../src/lib/report/layout/wrap.js';

describe('text on a terminal', () => {
  test('is broken between words, below where it begins behind its label', () => {
    expect(foldLines('Note: one two three four five', 16)).toBe(
      ['Note: one two', '      three four', '      five'].join('\n'),
    );
    expect(foldLines('source    hf:owner/repository a-file.gguf', 30)).toBe(
      ['source    hf:owner/repository', '          a-file.gguf'].join('\n'),
    );
  });

  test('keeps words that are longer than a line, and lines that are short enough', () => {
    expect(foldLines('short\n  Suggestion: https://example.com/a-long-address', 20)).toBe(
      ['short', '  Suggestion: https://example.com/a-long-address'].join('\n'),
    );
  });

  test('a word that fits on a line, but not behind its label, has the next line', () => {
    expect(foldLines('source    hf:owner/repository a-file.gguf', 28)).toBe(
      ['source', '  hf:owner/repository', '          a-file.gguf'].join('\n'),
    );
  });

  test('keeps a command as it is to be copied', () => {
    const command =
      'llama-server \\\n    --mmproj-url https://example.com/projector.gguf \\\n    --ctx-size 18432 --n-gpu-layers all';
    expect(foldLines(command, 24)).toBe(command);
  });

  test('a column of its own stays whole, below', () => {
    expect(foldLines('memory    ███░░  12GB of 17GB      32GB × 0.67 − 4GB', 34)).toBe(
      ['memory    ███░░  12GB of 17GB', '          32GB × 0.67 − 4GB'].join('\n'),
    );
  });

  test('a GPU’s number belongs to its label', () => {
    expect(foldLines('GPU 1     ███░░  7.4GB of 12GB      GPU memory', 34)).toBe(
      ['GPU 1     ███░░  7.4GB of 12GB', '          GPU memory'].join('\n'),
    );
  });

  test('a label with room for one blank is a label', () => {
    expect(foldLines('projector hf:owner/repository (in words)', 30)).toBe(
      ['projector hf:owner/repository', '          (in words)'].join('\n'),
    );
  });

  test.each(['Available budget', 'Of each memory'])('goes on behind a label of several words: %s', (label) => {
    const line = `  ${label}: 18GB (32GB system × 0.67 fraction − 3.4GB in use)`;
    const [first = '', ...rest] = foldLines(line, 50).split('\n');
    const indent = ' '.repeat(first.indexOf('18GB'));
    expect(rest).toEqual([expect.stringMatching(`^${indent}\\S`)]);
  });

  test('does not count colours', () => {
    expect(foldLines('\u001b[33mnote\u001b[39m      abc def', 17)).toBe('\u001b[33mnote\u001b[39m      abc def');
  });
});
