import { readFileSync } from 'node:fs';
import { dump, load } from 'js-yaml';
import { parseCatalog } from '../../../src/lib/catalog/parse-catalog.js';
import { quantizationInName, withOtherQuantization } from '../../../src/lib/gguf/names/file-name.js';
import { chooseModel, modelFiles } from '../../../src/lib/source/hub/hub-files.js';
import { formatModelSource, parseModelSource } from '../../../src/lib/source/model-source.js';
import { printed, printedAsJson } from '../making/harmless.js';
import type { Subject } from '../subject.js';
import { changedValues } from '../making/values.js';

const CATALOG = readFileSync(new URL('../../../../../catalog.yaml', import.meta.url), 'utf8');
const REFERENCES = [
  'hf:unsloth/X-GGUF:Q4_K_M',
  'hf.co/unsloth/X-GGUF',
  'https://huggingface.co/u/x/resolve/main/a/M-Q4_K_M-00001-of-00003.gguf?download=true',
  'https://user:secret@host/u/x?show_file_info=a%2Fb.gguf&token=secret',
  's3://user:secret@bucket/x.gguf',
  './Q4_K_M/M-Q4_K_M.gguf',
];

export const catalogues: Subject = {
  name: 'catalogues',
  run: (random) => {
    if (random.int(3) === 0) return void parseCatalog(dump(changedValues(load(CATALOG), random)), 'fuzzed.yaml');
    const start = random.int(CATALOG.length - 4000);
    const lines = `models:\n${CATALOG.slice(CATALOG.indexOf('\n  ', start) + 1, start + 4000)}`;
    parseCatalog(random.damaged(random.int(4) === 0 ? CATALOG : lines), 'fuzzed.yaml');
  },
};

export const references: Subject = {
  name: 'references',
  run: (random) => {
    const text = random.damaged(random.pick(REFERENCES));
    const source = parseModelSource(text);
    formatModelSource(source);
    withOtherQuantization(text, 'Q8_0');
    printed(text);
    printedAsJson({ text, list: ['--api-key', text] });
  },
};

export const listings: Subject = {
  name: 'listings',
  run: (random) => {
    const entries = Array.from({ length: random.int(400) }, () => ({
      path: random.damaged(`a/M-Q4_K_M-0000${random.int(10)}-of-0000${random.int(10)}.gguf`),
      bytes: random.oddNumber(),
    }));
    chooseModel(modelFiles(entries), random.pick([undefined, 'Q4_K_M', '(', 'Q8_0']));
    quantizationInName(`x${random.pick(['-Q4_', 'Q', '-'])}`.repeat(random.int(2000)));
  },
};
