#!/usr/bin/env node
// Writes one program that needs no Node: Node's own executable with check-memory, the catalogue and the headers inside, by Node's
// single executable applications. docs/single-file.md says what for. Run it after a build: npm run single-file [FILE]
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { withoutPlugins } from '../quick-start/without-plugins.mjs';

const POSTJECT = 'postject@1.0.0-alpha.6';
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
const CANNOT_BE_MADE = 3;

const root = fileURLToPath(new URL('../..', import.meta.url));
const own = (name) => fileURLToPath(new URL(name, import.meta.url));
const isMac = process.platform === 'darwin';
const isWindows = process.platform === 'win32';
const program = resolve(process.argv[2] ?? join(root, `dist/single-file/llmkube${isWindows ? '.exe' : ''}`));
const scratch = mkdtempSync(join(tmpdir(), 'llmkube-single-file-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

function giveUp(reason) {
  process.stderr.write(`Error: no single file can be made here: ${reason}\n`);
  process.exit(CANNOT_BE_MADE);
}

function run(command, args, problem) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', cwd: scratch, shell: isWindows });
  if (status !== 0) giveUp(`${problem} (${(error?.message ?? stderr).trim().split('\n').at(-1)})`);
}

/** What the bundle reads of the package, by its place in it. */
const inside = ['package.json', 'catalog.yaml', 'dist/catalog.json', 'dist/page/script.js'].concat(
  readdirSync(join(root, 'headers')).map((name) => `headers/${name}`),
);

if (!readFileSync(process.execPath).includes(FUSE)) {
  giveUp(`${process.execPath} has no place for a program in it; take a Node of nodejs.org`);
}

await build({
  absWorkingDir: root,
  entryPoints: [own('main.mjs')],
  outfile: join(scratch, 'main.cjs'),
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  minify: true,
  keepNames: true,
  // The modules think that they are where the ordinary bundle is, in a package that lies below this very program.
  banner: {
    js: `var require = require('node:module').createRequire(process.execPath);
const __moduleUrl = require('node:url').pathToFileURL(process.execPath + '/dist/quick/bundle/main.js').href;`,
  },
  define: { 'import.meta.url': '__moduleUrl' },
  alias: {
    ...withoutPlugins.alias,
    '@kubernetes/client-node': join(root, 'node_modules/@kubernetes/client-node/dist/config.js'),
  },
  plugins: [{ name: 'files-inside', setup: withFilesInside }],
  external: withoutPlugins.external,
  // Code from a cache cannot import.
  supported: { 'dynamic-import': false },
  logLevel: 'error',
});
const config = join(scratch, 'sea.json');
writeFileSync(
  config,
  JSON.stringify({
    main: join(scratch, 'main.cjs'),
    output: join(scratch, 'blob'),
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
    assets: Object.fromEntries(inside.map((path) => [path, join(root, path)])),
  }),
);
run(process.execPath, ['--experimental-sea-config', config], 'Node did not prepare it');

mkdirSync(dirname(program), { recursive: true });
rmSync(program, { force: true });
copyFileSync(process.execPath, program);
chmodSync(program, 0o755);
if (isMac) run('codesign', ['--remove-signature', program], 'the signature of Node was not taken off');
const segment = isMac ? ['--macho-segment-name', 'NODE_SEA'] : [];
run(
  isWindows ? 'npx.cmd' : 'npx',
  ['--yes', POSTJECT, program, 'NODE_SEA_BLOB', join(scratch, 'blob'), '--sentinel-fuse', FUSE, ...segment],
  `npx did not run ${POSTJECT}`,
);
if (isMac) run('codesign', ['--sign', '-', program], 'it was not signed');
process.stdout.write(`${program}\n`);

/** Every module but the one that stands in for it reads files through `files-inside.cjs`. */
function withFilesInside(bundler) {
  const standIn = own('files-inside.cjs');
  bundler.onResolve({ filter: /^(node:)?fs$/ }, ({ importer }) =>
    importer === standIn ? { path: 'node:fs', external: true } : { path: standIn },
  );
  bundler.onResolve({ filter: /^(node:)?fs\/promises$/ }, () => ({ path: 'promises', namespace: 'files-inside' }));
  bundler.onLoad({ filter: /./, namespace: 'files-inside' }, () => ({
    contents: `module.exports = require(${JSON.stringify(standIn)}).promises;`,
    resolveDir: root,
  }));
}
