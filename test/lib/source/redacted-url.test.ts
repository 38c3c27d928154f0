import { expect, test } from '@jest/globals';
import { redactedSource, redactedUrl } from '../../../src/lib/source/redacted-url.js';

const SIGNED = 'https://user:secret@models.example:8443/a/tiny.gguf?signature=secret#secret';
const BARE = 'https://models.example:8443/a/tiny.gguf';

test('of an address neither user nor password, query nor fragment is shown', () => {
  expect(redactedUrl(new URL(SIGNED))).toBe(BARE);
  expect(redactedSource(SIGNED)).toBe(BARE);
});

test.each(['./tiny.gguf?v=1', 'owner/model:Q4_K_M', 'c:/models/tiny.gguf'])('%s is shown as it is', (source) => {
  expect(redactedSource(source)).toBe(source);
});
