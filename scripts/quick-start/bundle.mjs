#!/usr/bin/env node
// Bundles the commands with what they need into a few files: reading some 230 small ones takes longer than a check itself. The folder
// is as deep as the modules' own, so that their paths to the catalogue and the headers hold.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { withoutPlugins } from './without-plugins.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const own = (name) => fileURLToPath(new URL(name, import.meta.url));
const require = createRequire(import.meta.url);

const common = {
  absWorkingDir: root,
  outdir: 'dist/quick/bundle',
  bundle: true,
  platform: 'node',
  target: 'node20',
  minify: true,
  legalComments: 'linked',
};

/** What oclif and its packages load for help, plugins, colours and spinners, of which commands that are run use nothing. */
const SELDOM_USED = [
  '@oclif/core/lib/help/index.js',
  '@oclif/core/lib/ux/index.js',
  '@oclif/core/lib/config/plugin-loader.js',
  '@oclif/core/lib/config/plugin.js',
  'supports-color/index.js',
  'cli-spinners/index.js',
];

/** Packages of modules that would be looked at with every start; what is CommonJS is not before it is required. */
const SELDOM_LOADED = ['js-yaml', 'node-fetch', 'ora'];

/** Of Node itself. */
const SELDOM_ASKED = [
  ...['child_process', 'crypto', 'dns', 'fs/promises', 'http', 'https', 'net', 'os', 'perf_hooks', 'readline', 'tls'],
  ...['tty', 'zlib'],
];

/** For bin/load.js: whole files, that need not be compiled anew, and from which nothing can be imported but only required. */
const compiled = {
  ...common,
  format: 'cjs',
  // As Node wraps what it requires.
  banner: {
    js: "(function (exports, require, module, __filename, __dirname) {\nconst __moduleUrl = require('node:url').pathToFileURL(__filename).href;",
  },
  footer: { js: '})' },
  define: { 'import.meta.url': '__moduleUrl' },
  outExtension: { '.js': '.cjs' },
  supported: { 'dynamic-import': false },
};

/** One asks oclif for all commands; the other has a bundle of its own. */
const ORDINARY = ['completion', 'exec'];

// Every command, loaded where it is run, with what of oclif a command is made of; and beside them the one that scripts run before each
// launch, so that its start need not read the others.
const files = readdirSync(`${root}dist/commands`, { recursive: true }).filter((file) => file.endsWith('.js'));
await bundleCommands('cli', files);
await bundleCommands('check-memory', ['check-memory.js']);

for (const name of SELDOM_LOADED) {
  const contents = `export { ${(await exportsOf(name)).join(', ')} } from '${name}';`;
  const stdin = { contents, resolveDir: root, sourcefile: `${name}.js` };
  await build({ ...compiled, stdin, outdir: undefined, outfile: `dist/quick/bundle/${name}.cjs`, ...withoutPlugins });
}

// In one file, without what explains a refusal: it stays in memory as long as the server.
await build({
  ...compiled,
  entryPoints: { exec: 'dist/quick-exec.js' },
  plugins: [whenAsked(['os']), apart(/\/explain-refusal\.js$/, './explain-refusal.cjs')],
});
await build({ ...compiled, entryPoints: { 'explain-refusal': 'dist/lib/cli/exec/explain-refusal.js' } });

// A program of its own, and so a module as all that the package has.
await build({
  ...common,
  format: 'esm',
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
  entryPoints: { 'requirement-worker': 'dist/lib/cli/exec/requirement-worker.js' },
});

// What reads kubeconfigs of @kubernetes/client-node, without the class for every kind of Kubernetes that the package loads: none of its
// modules does anything when it is loaded, which it does not say itself.
await build({
  ...compiled,
  entryPoints: { 'kube-config': 'node_modules/@kubernetes/client-node/dist/config.js' },
  plugins: [{ name: 'nothing-happens-on-load', setup: withoutSideEffects }],
});

execFileSync(process.execPath, [own('keep-code.cjs')], { stdio: 'inherit' });

async function bundleCommands(name, files) {
  await build({
    ...compiled,
    stdin: { contents: await commandTable(files), resolveDir: root, sourcefile: `${name}.js` },
    outdir: undefined,
    outfile: `dist/quick/bundle/${name}.cjs`,
    ...withoutPlugins,
    plugins: [
      whenAsked(SELDOM_ASKED),
      whenUsed(SELDOM_USED),
      apart(/^@kubernetes\/client-node$/, './kube-config.cjs'),
      packagesApart(SELDOM_LOADED),
    ],
  });
}

/** A module that runs a command by its words; each file of a command is where its words are. */
async function commandTable(files) {
  const entries = [];
  for (const file of files) {
    const id = file.replace(/\.js$/, '').replaceAll(/[/\\]/g, ':');
    if (ORDINARY.includes(id)) continue;
    const { aliases } = (await import(`${root}dist/commands/${file}`)).default;
    const load = `() => import(${JSON.stringify(`./dist/commands/${file}`)})`;
    for (const name of [id, ...aliases]) entries.push(`${JSON.stringify(name)}: ${load}`);
  }
  return `import { runQuickly } from './dist/lib/cli/quick-start.js';
const commands = { ${entries.join(', ')} };
export const run = (words) => runQuickly(commands, words);`;
}

/** Modules of Node that are loaded where something of them is used first: some take longer than a whole check, or stay in memory. */
function whenAsked(names) {
  const filter = new RegExp(`^(node:)?(${names.join('|')})$`);
  const setup = (bundler) => {
    bundler.onResolve({ filter }, ({ path, namespace }) =>
      namespace === 'when-asked' ? undefined : { path: path.replace('node:', ''), namespace: 'when-asked' },
    );
    bundler.onLoad({ filter, namespace: 'when-asked' }, ({ path }) => ({
      contents: `for (const name of ${JSON.stringify(Object.keys(require(path)))})
  Object.defineProperty(exports, name, { enumerable: true, get: () => require('node:${path}')[name] });`,
    }));
  };
  return { name: 'when-asked', setup };
}

/** The same of CommonJS modules of packages. */
function whenUsed(files) {
  const paths = new Set(files.map((file) => `${root}node_modules/${file}`));
  const setup = (bundler) => {
    bundler.onResolve({ filter: /./ }, async ({ kind, path, pluginData, importer, resolveDir, namespace }) => {
      if (kind !== 'require-call' || pluginData === 'seen' || namespace === 'when-used') return undefined;
      const found = await bundler.resolve(path, { kind, importer, resolveDir, pluginData: 'seen' });
      return paths.has(found.path) ? { path: found.path, namespace: 'when-used' } : undefined;
    });
    bundler.onLoad({ filter: /./, namespace: 'when-used' }, ({ path }) => ({
      contents: `for (const name of ${JSON.stringify(Object.keys(require(path)))})
  Object.defineProperty(exports, name, { enumerable: true, get: () => require(${JSON.stringify(path)})[name] });`,
      resolveDir: root,
    }));
  };
  return { name: 'when-used', setup };
}

function apart(filter, path) {
  return {
    name: 'apart',
    setup: (bundler) => void bundler.onResolve({ filter }, () => ({ path, external: true })),
  };
}

async function exportsOf(name) {
  return Object.keys(await import(name)).filter((exported) => exported !== 'module.exports');
}

/** Packages in files of their own, which are loaded where the package would be. */
function packagesApart(names) {
  const filter = new RegExp(`^(${names.join('|')})$`);
  const namespace = 'package-apart';
  const setup = (bundler) => {
    bundler.onResolve({ filter }, ({ path }) => ({ path, namespace }));
    bundler.onResolve({ filter: /./, namespace }, ({ path }) => ({ path, external: true }));
    bundler.onLoad({ filter, namespace }, async ({ path }) => {
      const lines = (await exportsOf(path)).map((name) =>
        name === 'default' ? 'export default loaded.default;' : `export const ${name} = loaded.${name};`,
      );
      return { contents: `const loaded = require('./${path}.cjs');\n${lines.join('\n')}` };
    });
  };
  return { name: namespace, setup };
}

function withoutSideEffects(bundler) {
  bundler.onResolve({ filter: /./ }, async ({ kind, path, pluginData, importer, resolveDir }) => {
    if (pluginData === 'seen' || kind === 'entry-point') return undefined;
    const found = await bundler.resolve(path, { kind, importer, resolveDir, pluginData: 'seen' });
    return { path: found.path, external: found.external, namespace: found.namespace, sideEffects: false };
  });
}
