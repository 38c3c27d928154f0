// Builds a real kube-apiserver and etcd from their Go modules into bin/ of this folder, and fetches nothing else: some five minutes on two
// idle cores, seconds where Go has built them before. Without Go it says so.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const KUBERNETES = 'v1.36.3';
/** Kubernetes' own modules, which its `go.mod` takes from its source tree, have the version v0 of the same release. */
const STAGED = KUBERNETES.replace('v1', 'v0');

const here = fileURLToPath(new URL('.', import.meta.url));
const source = join(here, 'src');
const programs = {
  'kube-apiserver': { path: 'apiserver', text: kubeApiserver() },
  etcd: { path: 'etcd', text: etcd() },
};

function kubeApiserver() {
  return `package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() { os.Exit(cli.Run(app.NewAPIServerCommand())) }
`;
}

function etcd() {
  return `package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
`;
}

function go(...words) {
  const { status, stdout, error } = spawnSync('go', words, {
    cwd: source,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod' },
  });
  if (error !== undefined) {
    console.log('No Go here: the real cluster is left out.');
    process.exit(0);
  }
  if (status !== 0) {
    console.log(`go ${words[0]} ended with exit code ${status}: the real cluster is left out.`);
    process.exit(0);
  }
  return stdout;
}

mkdirSync(source, { recursive: true });
for (const { path, text } of Object.values(programs)) {
  mkdirSync(join(source, path), { recursive: true });
  writeFileSync(join(source, path, 'main.go'), text);
}
// Only the main module's replacements count, so those of Kubernetes are written again, with versions.
writeFileSync(join(source, 'go.mod'), 'module realcluster\n');
const { GoMod } = JSON.parse(go('mod', 'download', '-json', `k8s.io/kubernetes@${KUBERNETES}`));
const theirs = readFileSync(GoMod, 'utf8');
const lines = (pattern) => theirs.match(pattern)?.join('\n') ?? '';
const replaced = [...theirs.matchAll(/^\t?(?:replace )?(\S+) => \.\/staging/gm)].map(([, name]) => name);
writeFileSync(
  join(source, 'go.mod'),
  [
    'module realcluster',
    lines(/^go .*$/gm),
    lines(/^godebug .*$/gm),
    `require k8s.io/kubernetes ${KUBERNETES}`,
    `replace (\n${replaced.map((name) => `\t${name} => ${name} ${STAGED}`).join('\n')}\n)`,
    '',
  ].join('\n'),
);
go('mod', 'tidy');
const version = 'k8s.io/component-base/version';
const flags = `-s -w -X ${version}.gitVersion=${KUBERNETES} -X ${version}.gitMajor=1 -X ${version}.gitMinor=${KUBERNETES.split('.')[1]}`;
for (const [name, { path }] of Object.entries(programs)) {
  go('build', '-trimpath', '-buildvcs=false', '-ldflags', flags, '-o', join(here, 'bin', name), `./${path}`);
}
console.log('A real kube-apiserver and etcd are built.');
