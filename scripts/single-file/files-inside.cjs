// node:fs/promises, of which `readFile` also reads what is inside the single file: what lies below the program's own path.
const fs = require('node:fs/promises');
const { sep } = require('node:path');
const { getAsset } = require('node:sea');
const { fileURLToPath } = require('node:url');

const PACKAGE = process.execPath + sep;

async function readFile(file, ...rest) {
  const path = file instanceof URL ? fileURLToPath(file) : file;
  if (typeof path !== 'string' || !path.startsWith(PACKAGE)) return fs.readFile(file, ...rest);
  return getAsset(path.slice(PACKAGE.length).replaceAll(sep, '/'), 'utf8');
}

module.exports = { ...fs, readFile };
