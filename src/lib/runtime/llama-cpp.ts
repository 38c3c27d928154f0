import { UsageError } from '../errors.js';
import {
  type BuildRange,
  changesBetween,
  type SwitchName,
  type Switches,
  switchesOf,
  toggled,
} from './llama-cpp-switches.js';

export type { Switches } from './llama-cpp-switches.js';

interface KnownVersion {
  readonly build: BuildRange;
  readonly release?: string;
  readonly commit?: string;
}

/** Those that launches were measured with, oldest first. v0.5.0 was cut from a build that is not known, at most b11222. */
const MEASURED = [
  { build: { from: 9453, to: 9453 }, commit: 'af6528e6d' },
  { build: { from: 10472, to: 10472 } },
  { build: { from: 11222, to: 11222 }, release: '0.5.0' },
  { build: { from: 11434, to: 11434 } },
  { build: { from: 12032, to: 12032 }, release: '0.8.0' },
] as const satisfies readonly KnownVersion[];
const OLDEST = MEASURED[0].build.from;
const NEWEST = MEASURED[4];

/** `common_params::port` (`common/common.h`): 8080 in b11434, another in v0.8.0. */
const DEFAULT_PORTS = { former: 8080, newer: 9931, newerFrom: 12032 };

const FITS_EACH_SLOT: BuildRange = { from: 10473, to: 11291 };

/** Releases that were not measured, between builds whose version is known (`CMakeLists.txt`). */
const OTHER_RELEASES: Readonly<Record<string, BuildRange>> = {
  '0.1.1': { from: 10454, to: 10548 },
  '0.1.2': { from: 10473, to: 10604 },
  '0.2.0': { from: 10550, to: 10851 },
  '0.3.0': { from: 10606, to: 10851 },
  '0.4.0': { from: 10606, to: 11221 },
  '0.6.0': { from: 11402, to: 12031 },
  '0.7.0': { from: 11550, to: 12031 },
};

/** What a tree calls itself from the release before on, until it is released (`LLAMA_VERSION` in `CMakeLists.txt`). */
const DEVELOPMENT = '-dev';

/** Meant where nothing is said. */
const NEWEST_KNOWN = `v${NEWEST.release}`;

/** The llama.cpp that a launch is meant for. */
export interface LlamaCpp {
  /** As llama.cpp calls it: `v0.5.0`, `b11434`. */
  readonly name: string;
  readonly build: BuildRange;
  readonly switches: Switches;
  /** Measured, or between two that were with nothing left open; otherwise the figures are modelled. */
  readonly settled: boolean;
  /** What a person should know about figures for it. */
  readonly notes: readonly string[];
  /** `--fit` aims at the trained context for each slot even where they share it: only around v0.5.0 (`common/fit.cpp`). */
  readonly fitsTrainedContextOfEachSlot: boolean;
  /** Where llama-server listens unless told otherwise. */
  readonly defaultPort: number;
}

/**
 * A version as people and programs write it: a release (`v0.8.0`), what leads to one (`0.8.0-dev`), a build (`b11434`, or
 * `b11434-6471e3c0` as `/props` says), or the commit of one that was measured.
 * @throws UsageError LLAMA_CPP_VERSION
 */
export function llamaCpp(version: string = NEWEST_KNOWN): LlamaCpp {
  const known = RESOLVED.get(version);
  if (known) return known;
  const found = resolve(version);
  RESOLVED.set(version, found);
  return found;
}

const RESOLVED = new Map<string, LlamaCpp>();

/** One change on the way from a version to another. */
export interface VersionStep {
  readonly change: SwitchName;
  readonly what: string;
  /** Names the version before with this change and those before it: `v0.5.0+mixedInput`. */
  readonly version: string;
}

/** What lies between two versions, one change after another; the last step is the other version. */
export function versionSteps(from: string, to: string): readonly VersionStep[] {
  let version = llamaCpp(from).name;
  return changesBetween(llamaCpp(from).switches, llamaCpp(to).switches).map(({ name, what }) => {
    version = `${version}+${name}`;
    return { change: name, what, version };
  });
}

function resolve(version: string): LlamaCpp {
  const [base = '', ...changes] = version.split('+');
  if (changes.length === 0) return resolvePlain(version);
  const before = resolvePlain(base);
  const switches = toggled(before.switches, changes);
  if (!switches) throw unknownVersion(version);
  return { ...before, name: version, switches, settled: false };
}

function resolvePlain(version: string): LlamaCpp {
  const build = /^b?(\d{3,6})(-[0-9a-f]+)?$/i.exec(version)?.[1];
  if (build) return at(`b${build}`, { from: Number(build), to: Number(build) });
  const [, release, development] = /^v?(\d+\.\d+\.\d+)(-dev)?$/i.exec(version) ?? [];
  if (release !== undefined && development !== undefined) return at(`v${release}${DEVELOPMENT}`, before(release));
  const measured = MEASURED.find(
    (entry: KnownVersion) => (release && entry.release === release) || (entry.commit && version.endsWith(entry.commit)),
  );
  if (measured) return at('release' in measured ? `v${measured.release}` : `b${measured.build.from}`, measured.build);
  if (!release) throw unknownVersion(version);
  return at(`v${release}`, OTHER_RELEASES[release] ?? outside(release, version));
}

function unknownVersion(version: string): UsageError {
  return new UsageError(
    'LLAMA_CPP_VERSION',
    `${JSON.stringify(version)} is no llama.cpp version; write a release such as ${NEWEST_KNOWN}, a build such as b${NEWEST.build.from}, the path of a llama-server such as ./llama-server, or auto.`,
  );
}

/** The builds between the release before and this one. */
function before(release: string): BuildRange {
  const { to } = resolvePlain(release).build;
  const others = Object.entries(OTHER_RELEASES).map(([name, build]) => ({ release: name, build }));
  const earlier = [...MEASURED, ...others].filter(
    (entry: KnownVersion) => (entry.release?.localeCompare(release, undefined, { numeric: true }) ?? 0) < 0,
  );
  return { from: Math.max(-1, ...earlier.map(({ build }) => build.from)) + 1, to };
}

/** A release before the first or after the last that is known. */
function outside(release: string, version: string): BuildRange {
  const order = release.localeCompare(NEWEST.release, undefined, { numeric: true });
  if (order > 0) return { from: NEWEST.build.to + 1, to: Infinity };
  if (release.localeCompare('0.1.1', undefined, { numeric: true }) < 0) return { from: 0, to: 10548 };
  throw unknownVersion(version);
}

function at(name: string, build: BuildRange): LlamaCpp {
  const { switches, guessed } = switchesOf(build);
  const notes = [
    ...(build.from > NEWEST.build.to
      ? [`llama.cpp ${name} is newer than any that was measured: the figures are those of ${NEWEST_KNOWN}`]
      : []),
    ...(build.to < OLDEST
      ? [`llama.cpp ${name} is older than any that was measured: the figures are those of b${OLDEST}`]
      : []),
    ...(guessed.length > 0
      ? [
          `llama.cpp ${name} lies between builds that were measured: where it is not known which it follows, what takes more memory is counted`,
        ]
      : []),
  ];
  const fitsTrainedContextOfEachSlot = FITS_EACH_SLOT.from <= build.from && build.to <= FITS_EACH_SLOT.to;
  const { former, newer, newerFrom } = DEFAULT_PORTS;
  const defaultPort = build.from >= newerFrom ? newer : former;
  return { name, build, switches, settled: notes.length === 0, notes, fitsTrainedContextOfEachSlot, defaultPort };
}
