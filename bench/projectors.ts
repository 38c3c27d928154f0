import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { estimateLaunch } from '../src/lib/estimate/estimate-launch.js';
import { describeShape } from '../src/lib/model/describe-shape.js';
import type { ProjectorShape } from '../src/lib/model/model-shape.js';
import type { LaunchOptions } from '../src/lib/runtime/launch-options.js';
import { profileHeader, readProfile } from '../test/support/models/profile.js';

/* Writes docs/projectors.md: what multimodal projectors take, at start-up and at the worst. */

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PROFILES = join(ROOT, 'test/oracle/projectors/profiles');
const MIB = 2 ** 20;

const V050: LaunchOptions = { accelerator: 'metal', llamaCpp: 'v0.5.0' };
const METAL: LaunchOptions = { ...V050, images: 'any', audioSeconds: [30] };

const INTRODUCTION = `# What multimodal projectors take

llama-server loads a projector (mmproj) beside a model that sees or hears: \`-hf\` does so by itself, \`--mmproj\` names one.
Its weights are copied to one device, the GPU unless \`--no-mmproj-offload\`; its buffers are reserved for a dummy image when
the server starts, and replaced by larger ones when an image needs more. They never shrink.

MiB on Metal with flash attention, by this program for llama.cpp v0.5.0, which allocates the same to the byte for each of these files.
"at most" is what the largest image that the projector accepts makes of the buffers, or 30 seconds of audio; a check counts
audio of up to 5 minutes where the encoder takes it in one piece. This file is written by \`npm run projectors\`.
`;

function projectorOf(file: string): ProjectorShape {
  const shape = describeShape(profileHeader(readProfile(join(PROFILES, file))));
  if (shape.kind !== 'projector') throw new Error(`${file} is a ${shape.kind}`);
  return shape;
}

function row(file: string): string {
  const { parts, growth } = estimateLaunch({ projector: projectorOf(file) }, METAL);
  const part = (name: string, device: string): number =>
    parts.filter((one) => one.name === name && one.device === device).reduce((sum, { bytes }) => sum + bytes, 0);
  const grown = (device: string): number =>
    growth.filter((one) => one.device === device).reduce((sum, { maxBytes }) => sum + maxBytes, 0);
  const [gpu, host] = [part('compute', 'gpu'), part('compute', 'host')];
  const mebibytes = (bytes: number): string => String(Math.round(bytes / MIB));
  const cells = [part('weights-copy', 'gpu'), gpu, host, gpu + grown('gpu'), host + grown('host')].map(mebibytes);
  return `| ${file.replace(/^mmproj-|\.json$/g, '')} | ${cells.join(' | ')} |`;
}

const HEAD = `| projector | weights | GPU, at start | host, at start | GPU, at most | host, at most |
| --- | --: | --: | --: | --: | --: |`;

/** Buffers at start-up, in GiB. */
function buffers(file: string, launch: LaunchOptions): string {
  const { parts } = estimateLaunch({ projector: projectorOf(file) }, launch);
  const bytes = parts.reduce((sum, part) => sum + (part.name === 'compute' ? part.bytes : 0), 0);
  return (bytes / 2 ** 30).toFixed(1);
}

function withoutFlashAttention(file: string): string {
  return `${buffers(file, { ...V050, flashAttn: 'off' })} GiB instead of ${buffers(file, V050)}`;
}

const LAST = `Without flash attention (\`-fa off\`, and on Metal wherever the head size has no kernel, as in Llama 4) the buffers hold every
score: those of Qwen2.5-VL 7B come to ${withoutFlashAttention('mmproj-qwen2.5-vl-7b.F16.json')} at start-up, those of Gemma 3 to ${withoutFlashAttention('mmproj-gemma-3-4b.F16.json')}.
\`--image-max-tokens\` bounds what images can become. A projector whose encoder is not described here is counted by an upper
bound, which is said: those that make speech (\`qwen3tts\`, \`pockettts\`), and any that a later llama.cpp adds. One that
does not belong to the model, because it makes embeddings of another width, is refused as llama-server refuses it.
`;

const rows = readdirSync(PROFILES).sort().map(row);
await writeFile(join(ROOT, 'docs/projectors.md'), [INTRODUCTION, [HEAD, ...rows].join('\n'), '', LAST].join('\n'));
