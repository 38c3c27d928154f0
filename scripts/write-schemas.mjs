#!/usr/bin/env node
// Writes the schemas of --json outputs in which the same object stands as in others. Those that stand alone are written
// by hand: check-memory, catalog-validate, compare-log, inspect and ledger. With --check it writes nothing and fails where
// a file is not what it would write.
import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { checkOutputs } from './schemas/checks.mjs';
import { agentOutputs, clusterOutputs } from './schemas/cluster.mjs';
import { storedOutputs } from './schemas/stored.mjs';

const folder = new URL('../schemas/', import.meta.url);
const checkMemory = JSON.parse(await readFile(new URL('check-memory.schema.json', folder), 'utf8'));

for (const schema of [...checkOutputs(checkMemory), ...clusterOutputs, ...agentOutputs, ...storedOutputs]) {
  const file = new URL(schema.$id, folder);
  const style = await resolveConfig(file);
  const text = await format(JSON.stringify(schema), { ...style, parser: 'json' });
  if (!process.argv.includes('--check')) await writeFile(file, text);
  else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    process.exitCode = 1;
    process.stderr.write(`schemas/${schema.$id} is not what npm run schemas writes\n`);
  }
}
