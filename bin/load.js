const { existsSync, readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { Script } = require('node:vm');

/** Where the build keeps what V8 compiled of a file, for this very Node and kind of machine. */
const codeOf = (file) => `${file}.${process.version}-${process.platform}-${process.arch}`;

/** The scripts of the files that were loaded. */
const scripts = new Map();

/**
 * What a CommonJS file of the bundle exports, which stands in Node's wrapper already. It is loaded as `require` would, but with what V8
 * compiled of it before: V8 takes that only where the source and its own version are the same. Such code cannot `import()`.
 */
function load(file) {
  const code = codeOf(file);
  const cachedData = existsSync(code) ? readFileSync(code) : undefined;
  const script = new Script(readFileSync(file, 'latin1'), { filename: file, cachedData });
  scripts.set(file, script);
  const folder = dirname(file);
  const requireNear = (id) => (id.startsWith('./') ? load(join(folder, id)) : require(id));
  const module = { exports: {} };
  script.runInThisContext()(module.exports, requireNear, module, file, folder);
  return module.exports;
}

module.exports = { codeOf, load, scripts };
