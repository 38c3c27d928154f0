import { text } from 'node:stream/consumers';
import { asFailure, renderFailure, type OclifError } from '../terminal/render-failure.js';
import { refusalText } from '../terminal/refusal.js';
import { checkLaunch } from '../../guard/check-launch.js';
import { pinnedWords } from '../../preflight/server-choice.js';
import { followable, withFollowable } from './followable.js';
import { withVersion } from './program-version.js';
import type { RequirementAnswer, RequirementRequest } from './requirement.js';

/** Memory enough for everything: what is asked is only what a launch takes. */
const BOUNDLESS = { source: 'given', totalBytes: Number.MAX_SAFE_INTEGER, inUseBytes: 0, notes: [] } as const;

async function answer(): Promise<RequirementAnswer> {
  try {
    const request = JSON.parse(await text(process.stdin)) as RequirementRequest;
    const policy = { absoluteBytes: Number.MAX_SAFE_INTEGER };
    const check = await checkLaunch(await withVersion(request), { host: { ...BOUNDLESS, ...request.seen }, policy });
    if (check.verdict.kind !== 'unknown') {
      const pinned = check.choice === undefined ? [] : pinnedWords(check.choice);
      return { kind: 'known', estimate: check.verdict.estimate, pinned };
    }
    return { kind: 'unknown', text: await refusalText(withFollowable(check)), exitCode: 3 };
  } catch (error) {
    const failure = asFailure(error as OclifError);
    return {
      kind: 'unknown',
      text: renderFailure({ ...failure, suggestions: followable(failure.suggestions) }).trimEnd(),
      exitCode: failure.exitCode,
    };
  }
}

// The guard that asked may have been interrupted.
process.stdout.on('error', () => process.exit());
process.stdout.write(JSON.stringify(await answer()));
