// Installs node-llama-cpp of the version in package.json with the one binary that runs here, without the CUDA ones.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const BINARIES = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-arm64': 'mac-arm64-metal',
  'darwin-x64': 'mac-x64',
};

const here = fileURLToPath(new URL('.', import.meta.url));
const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const version = dependencies['node-llama-cpp'];
const platform = `${process.platform}-${process.arch}`;
const binary = BINARIES[platform];
if (!binary) {
  console.error(`node-llama-cpp has no binary for ${platform}`);
  process.exit(1);
}
const packages = [`node-llama-cpp@${version}`, `@node-llama-cpp/${binary}@${version}`];
const options = ['--no-save', '--no-package-lock', '--omit=optional', '--no-audit', '--no-fund', '--ignore-scripts'];
const { status } = spawnSync('npm', ['install', ...options, ...packages], { cwd: here, stdio: 'inherit' });
process.exit(status ?? 1);
