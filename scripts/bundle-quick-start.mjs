#!/usr/bin/env node
// Bundles check-memory and exec with what it needs of oclif into a few files: reading some 230 small ones takes longer than the
// check itself. The folder is as deep as the modules' own, so that their paths to the catalogue and the headers hold.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

// What a CommonJS package expects in a module of the other kind.
const COMMONJS = `import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename ?? '';
const __dirname = import.meta.dirname ?? '';`;

// What oclif uses to find commands and to render help, neither of which happens here; a spinner it makes on every terminal.
const UNUSED = ['ejs', 'lilconfig', 'minimatch', 'tinyglobby'];
const EMPTY = fileURLToPath(new URL('empty-module.cjs', import.meta.url));

const common = {
  absWorkingDir: root,
  outdir: 'dist/quick/bundle',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  minify: true,
  keepNames: true,
  legalComments: 'linked',
  alias: Object.fromEntries(UNUSED.map((name) => [name, EMPTY])),
  banner: { js: COMMONJS },
  external: [
    ...['chalk', 'ora', 'js-yaml', 'node-fetch', 'https-proxy-agent', 'http-proxy-agent'],
    ...['typescript', 'ts-node', 'tsx', '@kubernetes/client-node'],
  ],
};

await build({
  ...common,
  entryPoints: {
    'check-memory': 'dist/quick-start.js',
    'explain-refusal': 'dist/lib/cli/exec/explain-refusal.js',
    'requirement-worker': 'dist/lib/cli/exec/requirement-worker.js',
  },
  splitting: true,
});

// In one file, without what explains a refusal, and CommonJS: it stays in memory as long as the server.
await build({
  ...common,
  banner: { js: "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
  define: { 'import.meta.url': '__moduleUrl' },
  alias: { ...common.alias, 'node:os': fileURLToPath(new URL('os-when-asked.cjs', import.meta.url)) },
  entryPoints: { exec: 'dist/quick-exec.js' },
  keepNames: false,
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
});

// What reads kubeconfigs of @kubernetes/client-node, without the class for every kind of Kubernetes that the package loads: none of its
// modules does anything when it is loaded, which it does not say itself.
await build({
  ...common,
  entryPoints: { 'kube-config': 'node_modules/@kubernetes/client-node/dist/config.js' },
  external: ['node-fetch'],
  plugins: [{ name: 'nothing-happens-on-load', setup: withoutSideEffects }],
});

function withoutSideEffects(bundler) {
  bundler.onResolve({ filter: /./ }, async ({ kind, path, pluginData, importer, resolveDir }) => {
    if (pluginData === 'seen' || kind === 'entry-point') return undefined;
    const found = await bundler.resolve(path, { kind, importer, resolveDir, pluginData: 'seen' });
    return { path: found.path, external: found.external, namespace: found.namespace, sideEffects: false };
  });
}
