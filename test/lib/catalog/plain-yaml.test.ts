import { expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { plainYaml } from '../../../src/lib/catalog/plain-yaml.js';

const WRITTEN_BY_PROGRAMS = `models:
  # A comment.
  llama-3.1-8b:
    source: https://models.example.org:8443/llama-3.1-8b-Q4_K_M.gguf?download=true
    description: Follows instructions, calls tools (128k)
    size: 8B
    quoted: "Says: #1"
    also_quoted: 'He said "no": # 1'
    context_size: 8192
    gpu_layers: -1
    vram_estimate: 5-8GB
    aliases: [llama, llama-3.1]
    use_cases:
    - chat
    - code review

    resources:
      memory: 4Gi
      gpu_memory: 8Gi
  other:
    source: /models/other.gguf
    use_cases:
      - 'chat'
    aliases: []
`;

test('what programs write is taken as it is meant', () => {
  const found = plainYaml(WRITTEN_BY_PROGRAMS);
  expect(found).toBeDefined();
  expect(found).toStrictEqual(load(WRITTEN_BY_PROGRAMS));
});

test.each([
  'a: true',
  'a: Yes',
  'a: null',
  'a: ~',
  'a: 1.5',
  'a: 012',
  'a: 0x1f',
  'a: 1e3',
  'a: 12:30',
  'a: 2026-01-01',
  'a: -0',
  'a: 12345678901234567890',
  'a: .inf',
  'a: b: c',
  'a: b # c',
  'a: |\n  b',
  'a: "b\\n"',
  "a: 'it''s'",
  'a: &b c',
  'a: *b',
  'a: !!str 1',
  'a: {b: c}',
  'a: [b, [c]]',
  'a: [b, 1]',
  'a: [true]',
  'a: b\n   c',
  'a:\n\tb: c',
  'a: b\t',
  'a: b\u00a0',
  'a: b\na: c',
  'a:\nb: c',
  'a:',
  '<<: b',
  '__proto__: b',
  'true: b',
  '- a',
  '---\na: b',
  'a: b\r\nc: d',
  'a:b',
  'a:\n  - b: c',
  'a:\n    b: c\n  d: e',
])('%j is left to those who know all of YAML', (text) => expect(plainYaml(text)).toBeUndefined());

const PIECES = [
  ...['models:', '  a:', '  a: b', '  - x', '    - y', '- w', '    c: 1', 'b: 1', '', '  # c', '#', '  y'],
  ...[
    "  v: a'b",
    '  v: a, b',
    '  v: a]',
    '  v: a - b',
    '  v: a#b',
    '  v: a:',
    '  v: a: ',
    '  v: a:b',
    '  v:  x',
    '  v: x ',
  ],
  ...[
    '  v: [a, b]',
    '  v: [a b]',
    '  v: [a , b]',
    '  v: [a,b]',
    '  v: [a]x',
    '  v: []',
    '  v: ""',
    "  v: 'a: #'",
    '  v: "a"b',
  ],
  ...[
    '  v: 4Gi',
    '  v: 5-8GB',
    '  v: 0B',
    '  v: 1_0GB',
    '  v: 00',
    '  v: -1',
    '  v: 999999999999999',
    '  v: //',
    '  v: a?',
  ],
  ...[
    '  v: e5',
    '  v: =',
    '  v: a =',
    '  v: a !b',
    '  v: a *b',
    '  v: a %b',
    '  v: a @b',
    '  constructor: v',
    '  "k": v',
  ],
  ...[
    '   - z',
    '  - - a',
    '  -  a',
    '  - ',
    '  -',
    '  - "q"',
    '  - 5',
    '  - [a]',
    '  - a: b',
    '      q: r',
    '  null: x',
  ],
];

test('whatever it says of a text is what js-yaml says, and what js-yaml refuses it leaves', () => {
  let state = 7;
  const random = (below: number): number => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return Math.floor((state / 0x7fffffff) * below) % below;
  };
  let said = 0;
  for (let round = 0; round < 30_000; round++) {
    const lines = Array.from({ length: 1 + random(5) }, () => PIECES[random(PIECES.length)] ?? '');
    const text = ['models:', ...lines].join('\n');
    const found = plainYaml(text);
    if (found === undefined) continue;
    said++;
    expect([text, found]).toStrictEqual([text, load(text)]);
    expect(JSON.stringify(found)).toBe(JSON.stringify(load(text)));
  }
  expect(said).toBeGreaterThan(1000);
});
