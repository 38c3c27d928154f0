// Keeps what V8 compiled of the quick start while it ran some commands, so that a start need not compile that again.
const { mkdtempSync, readdirSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { codeOf, load, scripts } = require('../../bin/load.js');

const bundle = join(__dirname, '../../dist/quick/bundle');
const MACHINE = ['--accelerator', 'metal', '--system-memory', '32Gi', '--in-use', '4Gi', '--offline'];
const COMMANDS = [
  ['check-memory', 'qwen-coder-7b', ...MACHINE],
  ['check-memory', 'qwen-coder-32b', ...MACHINE],
  ['check-memory', 'qwen-coder-32b', ...MACHINE, '--json'],
  ['check-memory', 'qwen-coder-32b', '--accelerator', 'nothing'],
];

async function keepCode() {
  for (const file of ['cli.cjs', 'check-memory.cjs']) {
    const { run } = load(join(bundle, file));
    for (const words of COMMANDS) await run(words);
  }
  for (const [file, script] of scripts) writeFileSync(codeOf(file), script.createCachedData());
}

const home = mkdtempSync(join(tmpdir(), 'llmkube-build-'));
process.on('exit', () => rmSync(home, { recursive: true, force: true }));
process.env = { PATH: process.env.PATH, HOME: home };
for (const name of readdirSync(bundle)) if (/\.cjs\.v\d/.test(name)) rmSync(join(bundle, name));
process.stdout.write = process.stderr.write = () => true;
void keepCode().then(() => (process.exitCode = 0));
