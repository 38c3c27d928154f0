import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { estimateMemory } from '../src/lib/estimate/estimate-memory.js';
import { describeModel } from '../src/lib/model/describe-model.js';
import { type Case, launchOf, measured } from '../test/oracle/cases.js';
import { profileHeader, readProfile, writeProfile } from '../test/support/models/profile.js';

/*
 * Has an instrument (test/oracle/instrument) measure launches: npm run measure -- INSTRUMENT VERSION [CASES.jsonl] [PROFILES].
 * Standard output is the lines of a new test/oracle/cases-*.jsonl; standard error says where the estimate for VERSION differs.
 */

const ORACLE = fileURLToPath(new URL('../../../test/oracle/', import.meta.url));
const [instrument, version, cases = join(ORACLE, 'cases.jsonl'), profiles = join(ORACLE, 'profiles')] =
  process.argv.slice(2);
if (instrument === undefined || version === undefined) {
  console.error('usage: npm run measure -- INSTRUMENT VERSION [CASES.jsonl] [PROFILES]');
  process.exit(2);
}

const byProfile = new Map<string, Case['launch'][]>();
for (const line of (await readFile(cases, 'utf8')).trim().split('\n')) {
  const { profile, launch } = JSON.parse(line) as Case;
  if (launch.backend !== 'cuda') byProfile.set(profile, [...(byProfile.get(profile) ?? []), launch]);
}
const folder = await mkdtemp(join(tmpdir(), 'llmkube-measure-'));
const tally = { equal: 0, different: 0 };
try {
  for (const [profile, launches] of byProfile) await measureAll(profile, launches);
} finally {
  await rm(folder, { recursive: true });
}
console.error(`${tally.equal} launches equal, ${tally.different} different`);

async function measureAll(name: string, launches: readonly Case['launch'][]): Promise<void> {
  const profile = readProfile(join(profiles, `${name}.json`));
  const file = join(folder, 'model.gguf');
  await writeProfile(profile, file);
  const asked = launches.map((launch) => `${JSON.stringify(launch)}\n`).join('');
  const { stdout, status } = spawnSync(String(instrument), [file], {
    input: asked,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`${instrument} ended with ${status}`);
  for (const line of stdout.trim().split('\n')) {
    const { launch, truth } = JSON.parse(line) as Pick<Case, 'launch' | 'truth'>;
    console.log(JSON.stringify({ llamaCpp: version, profile: name, launch, truth }));
    const differences = differencesOf(name, launch, truth);
    tally[differences.length === 0 ? 'equal' : 'different']++;
    if (differences.length > 0) console.error(`${name} ${JSON.stringify(launch)}: ${differences.join(', ')}`);
  }
}

function differencesOf(name: string, launch: Case['launch'], truth: Case['truth']): string[] {
  try {
    const shape = describeModel(profileHeader(readProfile(join(profiles, `${name}.json`))));
    const ours = measured(estimateMemory(shape, launchOf(launch, version)));
    if ('error' in truth) return [`llama.cpp refuses: ${truth.error.trim()}`];
    return Object.entries(ours).flatMap(([part, bytes]) => {
      const theirs = truth[part as keyof typeof truth];
      return bytes === theirs ? [] : [`${part} ${String(bytes)} instead of ${String(theirs)}`];
    });
  } catch (error) {
    return 'error' in truth ? [] : [String(error)];
  }
}
