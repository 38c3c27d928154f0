// Which room of src/lib may import which (docs/architecture.md). Types may be named from everywhere further down the picture.
const PURE = ['catalog', 'gguf', 'model', 'runtime', 'estimate', 'budget', 'preflight'];

/** Values that a room may import, beside what lies in src/lib itself. */
const MAY_IMPORT = {
  catalog: [],
  gguf: [],
  runtime: [],
  model: ['gguf'],
  estimate: ['gguf', 'model', 'runtime'],
  host: ['runtime'],
  budget: ['host'],
  source: ['catalog', 'gguf'],
  preflight: ['budget', 'catalog', 'estimate', 'gguf', 'host', 'model', 'runtime', 'source'],
  report: ['budget', 'catalog', 'estimate', 'host', 'kube', 'model', 'preflight', 'runtime', 'source'],
  page: ['budget', 'estimate', 'gguf', 'host', 'model', 'preflight', 'report', 'runtime', 'source'],
  kube: ['estimate', 'preflight', 'report', 'runtime', 'source'],
  guard: ['budget', 'estimate', 'host', 'preflight', 'report', 'runtime', 'source'],
  agent: ['budget', 'estimate', 'gguf', 'guard', 'host', 'kube', 'model', 'preflight', 'report', 'runtime', 'source'],
};

/** What reads or writes: files, networks, processes, the console's colours. */
const OUTSIDE =
  '^(node:)?(fs|net|http|https|dns|tls|child_process|worker_threads|readline|os)(/|$)|node_modules/(chalk|ora|node-fetch)/';

const inRoom = (room) => `^src/lib/${room}/`;

export default {
  forbidden: [
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'lib-knows-no-command',
      severity: 'error',
      from: { path: '^src/lib/' },
      to: { path: '^src/commands/' },
    },
    {
      name: 'only-commands-know-cli',
      severity: 'error',
      from: { path: '^src/lib/', pathNot: '^src/lib/cli/' },
      to: { path: '^src/lib/cli/' },
    },
    ...Object.entries(MAY_IMPORT).map(([room, allowed]) => ({
      name: `${room}-imports-its-own`,
      severity: 'error',
      from: { path: inRoom(room) },
      to: {
        path: '^src/lib/[^/]+/',
        pathNot: [room, ...allowed].map(inRoom),
        dependencyTypesNot: ['type-only'],
      },
    })),
    {
      name: 'pure-rooms-do-nothing-outside',
      comment: 'load-catalog.ts is the one file of a pure room that reads a file.',
      severity: 'error',
      from: { path: PURE.map(inRoom), pathNot: '^src/lib/catalog/load-catalog' },
      to: { path: OUTSIDE, dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
