// One command line after the other, as bin/run.js runs each in a process of its own: what it writes, and its exit code, apart.
const { join } = require('node:path');
const { load } = require('../../bin/load.js');

const { run } = load(join(__dirname, '../../dist/quick/bundle/cli.cjs'));

/** Everything that is written to a stream from here on. */
function kept(stream) {
  let text = '';
  stream.write = (chunk, ...rest) => {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    rest.findLast((one) => typeof one === 'function')?.();
    return true;
  };
  return () => text;
}

function become(environment) {
  for (const name of Object.keys(process.env)) if (!(name in environment)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, environment);
}

process.on('message', async ({ words, environment }) => {
  become(environment);
  process.exitCode = undefined;
  const stdout = kept(process.stdout);
  const stderr = kept(process.stderr);
  const known = await run(words);
  process.send({ known, stdout: stdout(), stderr: stderr(), exitCode: process.exitCode ?? 0 });
});
process.on('disconnect', () => process.exit());
