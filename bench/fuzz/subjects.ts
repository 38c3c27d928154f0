import { drafts, projectors } from './headers/beside.js';
import { agentWishes } from './cluster/agent.js';
import { clusterAnswers, credentials, kubeconfigs, refusals, watchEvents } from './cluster/cluster.js';
import { bundledHeaders, cacheEntries, realFiles } from './headers/files.js';
import { headerBytes, headerValues } from './headers/headers.js';
import { cacheFiles, holders, programWords, storeMarks } from './machine/kept-files.js';
import { amdGpus, linuxMachines, macs, nvidiaGpus } from './machine/measurements.js';
import { ledgers, serverLogs, serverRecords } from './machine/state.js';
import type { Subject } from './subject.js';
import { extraArguments, serverCommands, shellWords } from './texts/options.js';
import { standardInput } from './texts/standard-input.js';
import { stores } from './texts/stores.js';
import { catalogues, listings, references } from './texts/texts.js';

/** Everything that takes input from outside. */
export const SUBJECTS: readonly Subject[] = [
  headerBytes,
  headerValues,
  cacheEntries,
  bundledHeaders,
  projectors,
  drafts,
  realFiles,
  catalogues,
  references,
  listings,
  clusterAnswers,
  watchEvents,
  refusals,
  kubeconfigs,
  credentials,
  ledgers,
  serverRecords,
  serverLogs,
  holders,
  storeMarks,
  cacheFiles,
  programWords,
  linuxMachines,
  nvidiaGpus,
  amdGpus,
  macs,
  extraArguments,
  serverCommands,
  shellWords,
  standardInput,
  stores,
  agentWishes,
];
