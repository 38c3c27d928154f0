import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { UsageError } from '../../src/lib/errors.js';
import { alignColumns } from '../../src/lib/report/layout/columns.js';
import { jsonPieces, jsonText, MadeList, safeOutput, shown } from '../../src/lib/printable.js';
import { withoutSecrets, wordsWithoutSecrets } from '../../src/lib/secrets.js';

function objects(count: number): { uri: string; list: readonly { nested: number }[] }[] {
  return Array.from({ length: count }, (_, nested) => ({ uri: `https://a:${nested}@h/\n]`, list: [{ nested }] }));
}

const ACTS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const anyText = fc.array(fc.oneof(fc.constantFrom('\u001b[31m', '\n', '\u202e', '\u0007', '\u009b'), fc.string()));

it('an error is one line that nothing acts on, whatever was typed into it, and so is a cell of a table', () => {
  fc.assert(
    fc.property(anyText, (pieces) => {
      const text = pieces.join('');
      const error = new UsageError('BAD', `"${text}" is wrong`, { suggestions: [text] });
      expect([error.message, ...(error.options.suggestions ?? [])].filter((line) => ACTS.test(line))).toEqual([]);
      const lines = alignColumns([['NAME'], [text]]);
      expect([lines.length, lines.filter((line) => ACTS.test(line))]).toEqual([2, []]);
      expect(safeOutput(text, 'none').replaceAll(/[\n\t]/g, '')).not.toMatch(ACTS);
    }),
  );
});

describe('what is printed', () => {
  it.each(['/srv/models/', '/srv/my models/'])('keeps the name of a file whose path in %s is long', (start) => {
    const text = shown(`${start}${'folder/'.repeat(30)}name-Q4_K_M.gguf`);
    expect(text.startsWith(start)).toBe(true);
    expect(text.endsWith('/name-Q4_K_M.gguf')).toBe(true);
    expect([...text]).toHaveLength(121);
    expect(shown('word '.repeat(40))).toMatch(/^word .{115}…$/);
  });

  it.each([
    ['https://user:pw@host/x.gguf?token=s3cret', 'https://***@host/x.gguf?token=***'],
    ['s3://key:secret@bucket/model.gguf', 's3://***@bucket/model.gguf'],
    [
      'https://h/x?download=true&X-Amz-Signature=abc&revision=main',
      'https://h/x?download=true&X-Amz-Signature=***&revision=main',
    ],
    ['https://h/x?jwt=a&session=b&sas=c&code=d&q=e', 'https://h/x?jwt=***&session=***&sas=***&code=***&q=***'],
    ['https://h/x?X-Amz-Credential=a%2Fb&sig=c#access_token=d', 'https://h/x?X-Amz-Credential=***&sig=***#***'],
    ['https://h/x?s3cret&download', 'https://h/x?***&download'],
    ['(see https://h/x#s3cret), then', '(see https://h/x#***), then'],
    ['hf:u:PASS@owner/repo', 'hf:***@owner/repo'],
    ['https:u:PASS@host/x and hf:owner/repo/x.gguf?tok=a', 'https:***@host/x and hf:owner/repo/x.gguf?tok=***'],
    ['/x.gguf?sig=a&code=b', '/x.gguf?sig=***&code=***'],
    ['--connect-code ab12', '--connect-code ***'],
    ['--api-key hunter2 --port 80', '--api-key *** --port 80'],
    ["llama-server '--api-key=a b'", "llama-server '--api-key=***'"],
    ['spec.extraArgs = ["--api-key","a, b","-c"]', 'spec.extraArgs = ["--api-key",***,"-c"]'],
    ['args:\n  - --api-key\n  - hunter2\n  - -c', 'args:\n  - --api-key\n  - ***\n  - -c'],
    ['https://user:p@ss@host/x', 'https://***@host/x'],
    ['AWS_SECRET_ACCESS_KEY="a b" x', 'AWS_SECRET_ACCESS_KEY=*** x'],
    ['Authorization: Bearer abcdefghij', 'Authorization: Bearer ***'],
    ['HF_TOKEN=hf_abcdefghijklmnop', 'HF_TOKEN=***'],
    ['HF_TOKEN="${HF_TOKEN:?}more"', 'HF_TOKEN=***'],
  ])('has no secret of %s', (text, expected) => {
    expect(withoutSecrets(text)).toBe(expected);
  });

  it.each([
    'ghcr.io/x/llama:server@sha256:0123abcd',
    "--override-tensor 'ffn_(up|down)?_exps=CPU'",
    'hf:owner/repo/x.gguf and hf:owner/repo:Q4_K_M',
    'https://host:8080/a@b/x.gguf?download=true',
    'a note: somebody@example.com',
    'LLAMA_API_KEY="${LLAMA_API_KEY:?}" llama-server',
    'deploy --env "LLAMA_API_KEY=${LLAMA_API_KEY:?}"',
  ])('is what it was where nothing is secret: %s', (text) => {
    expect(withoutSecrets(text)).toBe(text);
  });

  it('has no secret in JSON, where a key is an element of its own', () => {
    const args = ['--api-key', 'k', '--port', '1'];
    const cleaned = ['--api-key', '***', '--port', '1'];
    expect(JSON.parse(jsonText({ args, uri: 'https://a:b@h/' }))).toEqual({ args: cleaned, uri: 'https://***@h/' });
    expect(wordsWithoutSecrets(args)).toEqual(cleaned);
  });

  it.each([
    ['nothing', {}],
    ['no object', [{ a: 1 }]],
    ['a short list', { list: [{ a: 1 }], text: 'x', none: undefined }],
    [
      'long lists',
      { none: undefined, list: objects(130), words: objects(65).map(({ uri }) => uri), empty: [], last: { a: [1] } },
    ],
    ['a list as long as a piece', { list: objects(128) }],
    ['words that only their order makes secret', { words: Array(70).fill('--api-key') }],
  ])('is the same JSON in pieces: %s', (_, value) => {
    expect([...jsonPieces(value)].join('')).toBe(jsonText(value));
  });

  it('keeps colours and lines, and nothing else that acts on a terminal', () => {
    expect(safeOutput('\u001b[31mred\u001b[0m\n\u001b]0;title\u0007\u202e')).toBe(
      '\u001b[31mred\u001b[0m\n\\u{1b}]0;title\\u{7}\\u{202e}',
    );
  });

  it('never has a control character, whatever it is made of', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(shown(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
        expect(jsonText([text])).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Cs}]/u);
        // eslint-disable-next-line no-control-regex -- how colours look
        expect(safeOutput(text).replace(/\u001b\[[0-9;]*m/g, '')).not.toMatch(/[^\P{Cc}\n\t]|[\p{Cf}\p{Cs}]/u);
      }),
    );
  });

  it('says the same in JSON as the value does, but for secrets', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(JSON.parse(jsonText([text]))).toEqual([withoutSecrets(text)]);
      }),
    );
  });
});

it('a list whose items are made when they are written is JSON like any other, and makes each once', () => {
  const items = Array.from({ length: 200 }, (_, index) => ({ index }));
  let made = 0;
  const list = new MadeList(items.length, (index) => {
    made++;
    return { index };
  });
  expect([...jsonPieces({ list })].join('')).toBe(jsonText({ list: items }));
  expect(made).toBe(items.length);
});
