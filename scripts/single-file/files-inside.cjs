// node:fs, whose `existsSync` and `readFileSync`, and `readFile` of whose promises, also know what is inside the single file: what lies
// below the program's own path.
const fs = require('node:fs');
const { sep } = require('node:path');
const { getAsset } = require('node:sea');
const { fileURLToPath } = require('node:url');

const PACKAGE = process.execPath + sep;

/** What is inside goes by its path in the package; undefined for a file outside. */
function nameInside(file) {
  const path = file instanceof URL ? fileURLToPath(file) : file;
  if (typeof path !== 'string' || !path.startsWith(PACKAGE)) return undefined;
  return path.slice(PACKAGE.length).replaceAll(sep, '/');
}

function readFileSync(file, ...rest) {
  const name = nameInside(file);
  return name === undefined ? fs.readFileSync(file, ...rest) : getAsset(name, 'utf8');
}

function existsSync(file) {
  if (nameInside(file) === undefined) return fs.existsSync(file);
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}

const readFile = async (file, ...rest) =>
  nameInside(file) === undefined ? fs.promises.readFile(file, ...rest) : readFileSync(file);

module.exports = { ...fs, existsSync, readFileSync, promises: { ...fs.promises, readFile } };
