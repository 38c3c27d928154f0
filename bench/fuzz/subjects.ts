import { drafts, projectors } from './beside.js';
import { clusterAnswers, credentials, kubeconfigs, refusals, watchEvents } from './cluster.js';
import { bundledHeaders, cacheEntries, realFiles } from './files.js';
import { headerBytes, headerValues } from './headers.js';
import { ledgers, serverLogs, serverRecords } from './state.js';
import type { Subject } from './subject.js';
import { catalogues, listings, references } from './texts.js';

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
];
