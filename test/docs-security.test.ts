import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';

const DOC = readFileSync('docs/security.md', 'utf8');

/** The value of a constant of one file, or of a field of the first one that has it: numbers, products and powers. */
function constant(file: string, name: string): number {
  const source = readFileSync(`src/lib/${file}`, 'utf8');
  const text = new RegExp(`\\b${name}(?: =|:) ([\\d_ *]+)[;, ]`).exec(source)?.[1];
  if (text === undefined) throw new Error(`${file} has no ${name}`);
  const numbers = text.replaceAll('_', '').split(/ \* (?!\*)/);
  return numbers
    .map((factor) => factor.split('**').map(Number))
    .reduce((product, [base = 0, power = 1]) => product * base ** power, 1);
}

/** Each row of the table of limits, and where its numbers stand. */
const ROWS: readonly (readonly [
  row: string,
  ...(readonly [file: string, name: string, unit: number, shown: string])[],
])[] = [
  ['header of a file', ['gguf/limits.ts', 'MAX_HEADER_BYTES', 2 ** 20, '128 MiB']],
  ['elements of all its arrays', ['gguf/limits.ts', 'MAX_ELEMENTS', 1, '4194304']],
  ['keys and values kept of it', ['gguf/limits.ts', 'MAX_KEPT_BYTES', 2 ** 20, '2 MiB']],
  [
    'keys, length of one',
    ['gguf/limits.ts', 'MAX_KEYS', 1, '8192'],
    ['gguf/limits.ts', 'MAX_KEY_BYTES', 1, '65535 bytes'],
  ],
  ['tensors, parts', ['gguf/limits.ts', 'MAX_TENSORS', 1, '65536'], ['gguf/limits.ts', 'MAX_SHARDS', 1, '1024']],
  [
    'layers, experts',
    ['gguf/limits.ts', 'MAX_LAYERS', 1, '512'],
    ['model/loading/count-limits.ts', 'MAX_EXPERTS', 1, '1024'],
  ],
  [
    "list of a repository's files",
    ['source/http/get-json.ts', 'MAX_BYTES', 2 ** 20, '4 MiB'],
    ['source/hub/hub-listing.ts', 'MAX_FILES', 1, '41000 files'],
    ['bounded-json.ts', 'MAX_DEPTH', 1, '64 deep'],
  ],
  [
    'entry of the cache',
    ['source/cache/cache-folder.ts', 'MAX_ENTRY_BYTES', 2 ** 20, '8 MiB'],
    ['bounded-json.ts', 'MAX_DEPTH', 1, '64 deep'],
  ],
  [
    "user's catalogue",
    ['catalog/load-catalog.ts', 'MAX_CATALOG_BYTES', 2 ** 20, '4 MiB'],
    ['catalog/parse-catalog.ts', 'MAX_ENTRIES', 1, '12000 entries'],
    ['catalog/parse-catalog.ts', 'MAX_VALUES', 1, '1000000 values'],
  ],
  [
    'a catalogue that is no block mapping, or whose entries refer to others',
    ['yaml-size.ts', 'MOST_MARKS_AT_ONCE', 1, '150000 marks'],
  ],
  [
    'hosts read from at once',
    ['source/read-many.ts', 'HOSTS_AT_ONCE', 1, '16'],
    ['source/read-many.ts', 'READINGS_PER_HOST', 1, '4 headers each'],
  ],
  ['any JSON', ['bounded-json.ts', 'MAX_VALUES', 1, '500000 values']],
  [
    'kubeconfig',
    ['kube/client/kubeconfig.ts', 'MAX_KUBECONFIG_BYTES', 2 ** 20, '2 MiB'],
    ['yaml-size.ts', 'MOST_MARKS_AT_ONCE', 1, '150000 marks'],
  ],
  [
    'answer of the cluster, a list',
    ['kube/client/transport.ts', 'MAX_ANSWER_BYTES', 2 ** 20, '8 MiB'],
    ['kube/client/answers/list-pages.ts', 'MAX_LENGTH', 2 ** 20, '12 MiB'],
    ['kube/client/answers/list-pages.ts', 'MAX_OBJECTS', 1, '8000 objects'],
  ],
  [
    'object in a list or a watch',
    ['kube/client/answers/large-objects.ts', 'MAX_OBJECT_LENGTH', 2 ** 10, '256 KiB'],
    ['kube/client/answers/large-objects.ts', 'MAX_OBJECT_VALUES', 1, '20000 values'],
  ],
  ['object of the cluster by itself', ['kube/client/answers/large-objects.ts', 'MAX_OBJECT_VALUES', 1, '20000 values']],
  [
    'refusal of the cluster',
    ['kube/client/transport.ts', 'LONGEST_REFUSAL', 1, '8192 characters'],
    ['kube/client/transport.ts', 'MOST_CAUSES', 1, '64 causes'],
  ],
  [
    'changes that are told while a deploy is waited for',
    ['kube/deploy/told-changes.ts', 'MOST_CHANGES', 1, '200'],
    ['kube/deploy/told-changes.ts', 'MOST_SHOWN', 1, '2000 characters each'],
  ],
  ['event of a watch', ['kube/client/transport.ts', 'MAX_EVENT_LENGTH', 2 ** 20, '2 MiB']],
  ['call of the cluster', ['kube/client/transport.ts', 'REQUEST_TIMEOUT_MS', 1000, '30 s']],
  [
    "credential's plugin",
    ['kube/client/exec-credentials.ts', 'MAX_OUTPUT_BYTES', 2 ** 20, '1 MiB'],
    ['kube/client/exec-credentials.ts', 'PLUGIN_TIMEOUT_MS', 1000, '60 s'],
  ],
  [
    'pattern for names of weights',
    ['runtime/names/name-pattern.ts', 'LONGEST_PATTERN', 1, '16384 characters'],
    ['runtime/names/pattern-states.ts', 'MOST_STATES', 1, '16384 states'],
  ],
  [
    'log of a server',
    ['../commands/compare-log.ts', 'MAX_LOG_BYTES', 2 ** 20, '16 MiB'],
    ['runtime/server-log.ts', 'MAX_LINE_LENGTH', 1, '4096'],
  ],
  ['ledger, records of the agent', ['own-file.ts', 'MAX_OWN_FILE_BYTES', 2 ** 20, '4 MiB']],
  ['redirects', ['source/http/follow-redirects.ts', 'MAX_REDIRECTS', 1, '5']],
  ['one reading, whatever it does', ['source/deadline.ts', 'READING_MS', 1000, '120 s']],
  ['all readings of a command', ['source/deadline.ts', 'ALL_READINGS_MS', 60_000, '10 min']],
  ['attempts to connect to a host', ['source/http/retry.ts', 'attempts', 1, '5']],
  [
    'connection, first byte, pause',
    ['source/http/network.ts', 'connectMs', 1000, '10 s'],
    ['source/http/network.ts', 'firstByteMs', 1000, '30 s'],
    ['source/http/network.ts', 'idleMs', 1000, '20 s'],
  ],
];

test.each(ROWS)('the limit of "%s" is the one that holds', (row, ...limits) => {
  const line = DOC.split('\n').find((candidate) => candidate.startsWith(`| ${row} `)) ?? '';
  for (const [file, name, unit, shown] of limits) {
    expect([name, String(constant(file, name) / unit)]).toEqual([name, shown.split(' ')[0]]);
    expect(line.replaceAll(',', '')).toContain(shown);
  }
});
