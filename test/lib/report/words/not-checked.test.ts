import { expect, test } from '@jest/globals';
import { notCheckedLines } from '../../../../src/lib/report/words/not-checked.js';

const offline = (model: string) => ({ model, code: 'SOURCE_OFFLINE', reason: `cannot read ${model}: --offline` });

test('what is true of several models is said once, and of very many those are named that come first', () => {
  const many = Array.from({ length: 10_000 }, (_, index) => offline(`m${index}`));
  const lines = notCheckedLines([offline('a'), { model: 'b', code: 'X', reason: 'it is gone' }, ...many]);
  const named = ['a', ...many.slice(0, 19).map(({ model }) => model)].join(', ');
  expect(lines).toEqual([
    `Not checked: ${named} and 9981 more: header neither bundled nor in the cache`,
    'Not checked: b: it is gone',
  ]);
});

test('names and reasons cannot act on a terminal', () => {
  const [line] = notCheckedLines([{ model: 'a\u001b[2J', code: 'X', reason: 'gone\u001b]0;x\u0007' }]);
  // eslint-disable-next-line no-control-regex
  expect(line).not.toMatch(/[\u0000-\u001f]/);
});

test('a reason is whole, with its cause at the end', () => {
  const reason = `cannot read https://h/${'folder/'.repeat(20)}m.gguf: there is no such host (h)`;
  expect(notCheckedLines([{ model: 'a', code: 'SOURCE_UNREACHABLE', reason }])).toEqual([`Not checked: a: ${reason}`]);
});
