import type { Room } from '../../preflight/advice/trials.js';
import { refusalText } from '../terminal/refusal.js';
import { checkLaunch } from '../../guard/check-launch.js';
import { withFollowable } from './followable.js';
import { withVersion } from './program-version.js';
import type { RequirementRequest } from './requirement.js';

/** Why a launch does not fit a machine, in the words of `check-memory`. */
export async function explainRefusal(request: RequirementRequest, room: Room): Promise<string> {
  return refusalText(withFollowable(await checkLaunch(await withVersion(request), room)));
}
