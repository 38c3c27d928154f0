import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import { combineLaunch } from '../../../src/lib/runtime/combine-launch.js';
import { launchWords } from '../../../src/lib/runtime/launch-words.js';
import { serverOptionNames, valueCount } from '../../../src/lib/runtime/options/option-names.js';
import { SERVER_OPTIONS } from '../../../src/lib/runtime/options/server-options.js';
import { parseServerArguments, splitWords } from '../../../src/lib/runtime/server-arguments.js';
import { readServerCommand } from '../../../src/lib/runtime/server-command.js';
import { quotedWords, shellWord } from '../../../src/lib/shell-word.js';
import { profileHeader } from '../../../test/support/models/profile.js';
import { PROFILES } from '../headers/headers.js';
import { ACCELERATORS_TRIED, holdWeights } from '../headers/judge.js';
import { printed, printedAsJson } from '../making/harmless.js';
import type { Random } from '../making/random.js';
import { Finding, type Subject } from '../subject.js';

const SMALL = PROFILES.filter(({ id }) => /smollm2|gemma-3-4b|olmoe|qwen3-0/.test(id)).map(profileHeader);
const MODELS = SMALL.map((header) => ({ header, shape: describeModel(header) }));
const MODELLED = SERVER_OPTIONS.flatMap(({ names, off = [] }) => [...names, ...off]);
const ALL = serverOptionNames();

const VALUES = [
  ...['4096', '0', '-1', '1', '512', '2147483647', '4294967296', '1e9', '0x10', '٣', ' 8', 'nan', ''],
  ...['on', 'off', 'auto', 'q8_0', 'q4_0', 'f32', 'none', 'layer', 'row', 'mmap', 'mmap+mlock', 'all'],
  ...['3,1', '1,,1', 'CUDA0,CUDA1', 'MTL0', 'none,CUDA0', '512,1024', '0/0', '1e308,1e308'],
  ...['exps=CPU', '(([a-z]+)+)+!=CPU', '.*.*.*.*.*.*.*!=CPU', '((((a{60}){60}){60}){60})=CPU', '(=CPU', 'x=CUDA0'],
  ...['general.name=str:x', 'llama.block_count=int:1', 'a=float:x', 'draft-mtp', 'draft-simple,ngram-mod'],
  ...[
    'm.gguf',
    'https://user:secret@host/m.gguf?token=secret',
    'a.gguf:0.5,b.gguf',
    'hf_abcdefGHIJKLMN0123',
    'constructor',
  ],
];

/** As they are usually written, so that what reads them is not the end of all. */
const WELL_FORMED = [
  ...[
    '-c 4096',
    '-np 2',
    '-kvu',
    '-b 512',
    '-ub 128',
    '-fa on',
    '-fa off',
    '-ctk q8_0',
    '-ctk q4_0 -ctv q4_0',
    '-ngl 7',
    '-nkvo',
  ],
  ...[
    '--no-mmap',
    '-lm mlock',
    '-nr',
    '--cpu-moe',
    '-ncmoe 3',
    '-ncffn 2147483647',
    '--swa-full',
    '--embeddings',
    '-cram 0',
    '-ctxcp 4',
  ],
  ...[
    '-ot exps=CPU',
    '-ot blk.*=CPU',
    '-ot ((a+)+)+!=CPU',
    '-sm layer',
    '-ts 3,1',
    '--fit off',
    '--override-kv a=int:1',
    '--no-host',
  ],
].map((line) => line.split(' '));

/** `--extra-args`, as a text in which a shell's quotes hold, for every option that there is. */
export const extraArguments: Subject = {
  name: 'extra arguments',
  run: (random) => {
    const words = optionWords(random);
    const line = words.map((word) => random.pick([shellWord, JSON.stringify, String, quotedWords])(word)).join(' ');
    const text = random.int(4) === 0 ? random.damaged(line) : line;
    const { header, shape } = random.pick(MODELS);
    const accelerator = random.pick(ACCELERATORS_TRIED);
    const combined = combineLaunch({ accelerator, defaults: {}, flags: {}, extraArgs: [text] });
    printedAsJson(combined);
    printed(combined.remarks.map((remark) => remark.text).join('\n'));
    const again = launchWords(combined.launch, []);
    printed(again.map(shellWord).join(' '));
    parseServerArguments(again);
    holdWeights(header, shape, combined.launch, estimateMemory(shape, combined.launch));
  },
};

/** A command line of llama-server that `exec` is given, and variables beside it. */
export const serverCommands: Subject = {
  name: 'command lines of llama-server',
  run: (random) => {
    const words = [...random.pick([['-m', 'm.gguf'], ['-hf', 'u/x:Q4_K_M'], []]), ...optionWords(random)];
    const changed = words.map((word) => (random.int(8) === 0 ? random.damaged(word) : word));
    const variables = SERVER_OPTIONS.flatMap(({ env }) => env ?? []);
    const env = Object.fromEntries(
      Array.from({ length: random.int(3) }, () => [random.pick(variables), random.pick(VALUES)]),
    );
    printedAsJson(readServerCommand(changed, env, '/models'));
  },
};

/** What is printed to be pasted is read by a shell as it was meant. */
export const shellWords: Subject = {
  name: 'words of a shell',
  run: (random) => {
    const word = random.damaged(random.damaged(random.pick([...VALUES, ...ALL, "it's", 'a b', '"', '\\', '=x', '~'])));
    const written = shellWord(word);
    printed(written);
    if (written.startsWith('$')) return;
    const read = splitWords(written);
    if (read.length !== 1 || read[0] !== word)
      throw new Finding(`${JSON.stringify(word)} is read as ${JSON.stringify(read)}`);
  },
};

/** Mostly options that change memory, with a value that they may have or not. */
function optionWords(random: Random): readonly string[] {
  return Array.from({ length: 1 + random.int(4) }, () => {
    if (random.int(5) > 0) return random.pick(WELL_FORMED);
    const name = random.pick(random.int(4) === 0 ? ALL : MODELLED);
    const values = Array.from({ length: valueCount(name) ?? 0 }, () => random.pick(VALUES));
    const attached = values.length === 1 && random.int(8) === 0;
    return attached ? [`${name}=${values[0]}`] : [name, ...values];
  }).flat();
}
