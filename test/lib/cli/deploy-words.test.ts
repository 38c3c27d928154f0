import { expect, test } from '@jest/globals';
import { deployName } from '../../../src/lib/cli/deploy/deploy-name.js';
import { parseDuration } from '../../../src/lib/cli/flags/values/duration.js';
import { parseList } from '../../../src/lib/cli/flags/values/list-value.js';

test.each([
  ['a', ['a']],
  ['A=1,B=2', ['A=1', 'B=2']],
  ['"A=1,2",B=3', ['A=1,2', 'B=3']],
  ['"say ""hi"""', ['say "hi"']],
  ['A={"x":1}', ['A={"x":1}']],
  ['', ['']],
])('the list %j has %j', (text, items) => {
  expect(parseList(text)).toEqual(items);
});

test.each([
  ['10m', 600_000],
  ['90s', 90_000],
  ['1h30m', 5_400_000],
  ['1.5s', 1500],
  ['250ms', 250],
])('%s are %i milliseconds', (text, ms) => {
  expect(parseDuration(text, '--timeout')).toBe(ms);
});

test.each(['', '10', 'm', '0s', '-1m', '1 h', '10m!'])('%j is no duration', (text) => {
  expect(() => parseDuration(text, '--timeout')).toThrow('is not a duration');
});

test.each([
  ['qwen-2.5-coder-32b', 'qwen-2.5-coder-32b'],
  ['Qwen-Coder-32B', 'qwen-coder-32b'],
  ['https://host/models/Llama_3.2-Q4_K_M.gguf?download=true', 'llama-3.2-q4-k-m'],
  ['/models/big-00001-of-00003.gguf', 'big'],
  ['hf:unsloth/Qwen3-30B-A3B-GGUF:Q4_K_M', 'qwen3-30b-a3b-q4-k-m'],
  ['hf:ggml-org/gpt-oss-20b-GGUF', 'gpt-oss-20b'],
  ['pvc://claim/dir/model.gguf', 'model'],
])('%s is deployed as %s', (model, name) => {
  expect(deployName(model, 'cuda')).toBe(name);
});
