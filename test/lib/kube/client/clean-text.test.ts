import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cleanLine, cleanLines, cleanText } from '../../../../src/lib/kube/client/clean-text.js';

test.each([
  ['Authorization: Bearer abcdef123456', 'Authorization: Bearer ***'],
  ['token eyJhbGciOi.eyJzdWIi.c2ln was refused', 'token *** was refused'],
  ['https://user:pass@host/model.gguf', 'https://***@host/model.gguf'],
  ['https://host/model.gguf?X-Amz-Signature=abc&download=1', 'https://host/model.gguf?X-Amz-Signature=***&download=1'],
  ['two\nlines\u001b[31m', 'two lines [31m'],
  ['models.inference.llmkube.dev "tiny" not found', 'models.inference.llmkube.dev "tiny" not found'],
])('%j reads as %j', (text, clean) => {
  expect(cleanText(text)).toBe(clean);
});

test('text with lines keeps them, each as safe as a line alone', () => {
  const text = 'insufficient memory for tiny\n  Available budget: 1GB\r\n\n  by https://user:pass@host/\u001b[31m';
  expect(cleanLines(text)).toBe('insufficient memory for tiny\n  Available budget: 1GB\n  by https://***@host/ [31m');
  expect(cleanLine(text)).toBe('insufficient memory for tiny Available budget: 1GB by https://***@host/ [31m');
});

test('a known secret is masked wherever it stands, the longer one first', () => {
  expect(cleanText('a hunter2-long b hunter2 c', ['hunter2', 'hunter2-long'])).toBe('a *** b *** c');
});

test('no known secret of four characters or more ever survives', () => {
  const word = fc.stringMatching(/^[a-z0-9]{4,12}$/);
  fc.assert(
    fc.property(word, fc.array(word), (secret, words) => {
      expect(cleanText([...words, secret, ...words].join(' '), [secret])).not.toContain(secret);
    }),
  );
});
