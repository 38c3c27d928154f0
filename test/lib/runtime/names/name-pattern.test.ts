import { describe, expect, test } from '@jest/globals';
import { namePattern } from '../../../../src/lib/runtime/names/name-pattern.js';

const NAMES = [
  'token_embd.weight',
  'output.weight',
  'blk.0.attn_q.weight',
  'blk.9.ffn_gate_exps.weight',
  'blk.19.ffn_up_exps.weight',
  'blk.20.ffn_down_shexp.weight',
  'blk.31.ffn_gate.bias',
  'blk.7.ssm_conv1d.weight',
  'v.blk.3.ffn_up.weight',
  '',
  'aaaaaaaaa',
  'a\nb',
];

describe('a pattern for names of tensors', () => {
  test.each([
    'exps',
    String.raw`\.ffn_(up|down|gate)_exps`,
    String.raw`blk\.(?:[0-9]|1[0-9])\.ffn_.*_exps\.`,
    String.raw`^blk\.\d{1,2}\.(?!attn)\w+\.weight$`,
    String.raw`(?<=gate)\.bias|(?<!_)exps?`,
    String.raw`(?=.*ffn)blk\.[2-9]\d\.`,
    '^(token_embd|output)[.]weight$',
    String.raw`\bffn\B|q\b`,
    '(blk|v)+.{3,}?[^a-z_]{2}',
    '(?<layer>b.k){1}',
    'a{9}$',
    'a{10}',
    '^(a|aa)+$',
    '(a*)*b',
    '((a?){3}b?)+$',
    'x{,2}|]|{',
    String.raw`\x62lk\u002e9|[\d.]{4}|[^]$|\s`,
    '.b',
    '()|',
    '(?:)*^',
  ])('%s finds what JavaScript finds', (pattern) => {
    const native = new RegExp(pattern);
    const own = namePattern(pattern);
    expect(NAMES.map((name) => own.test(name))).toEqual(NAMES.map((name) => native.test(name)));
  });

  test.each([
    '(a+)+!',
    '(([a-z0-9_.]+)+)+!',
    '(a|a|a)*!',
    '.*.*.*.*.*.*.*.*.*.*.*.*!',
    '(a?){64}(a?){64}!',
    '(?=(a+)+!)|(?<=(a+)+!)b',
    `${'(a|a)'.repeat(40)}!`,
  ])('%s, which a search that tries everything never ends, finds nothing at once', (pattern) => {
    expect(namePattern(pattern).test('a'.repeat(63))).toBe(false);
  });

  test.each([
    ['(a', /./],
    [String.raw`(a+)\1`, /not read here/],
    [String.raw`(?<x>a)\k<x>`, /not read here/],
    ['a'.repeat(20_000), /too long/],
    ['((((a{60}){60}){60}){60})', /too many repetitions/],
    [`${'('.repeat(100)}a*${')'.repeat(100)}`, /nested too deeply/],
  ])('%# is refused', (pattern, problem) => {
    expect(() => namePattern(pattern)).toThrow(problem);
  });
});
