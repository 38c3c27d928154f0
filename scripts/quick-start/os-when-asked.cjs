// Stands for node:os in the bundle of `exec`, which hardly ever asks it: loading it takes 300 KB for as long as the server runs.
for (const name of ['homedir', 'constants', 'hostname']) {
  Object.defineProperty(exports, name, { enumerable: true, get: () => require('os')[name] });
}
