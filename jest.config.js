import { availableParallelism } from 'node:os';

const PURE_CORE = ['gguf', 'model', 'estimate', 'runtime', 'budget', 'preflight'];

export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['ts-jest', { useESM: true, tsconfig: 'tsconfig.test.json' }] },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // Most tests wait for processes and servers, so a core has work for more than one.
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
  // Against a hang only: on a loaded machine everything takes long.
  testTimeout: 120_000,
  coverageProvider: 'v8',
  collectCoverageFrom: PURE_CORE.map((folder) => `src/lib/${folder}/**/*.ts`),
  coverageReporters: ['text-summary'],
  coverageThreshold: { global: { branches: 88, functions: 90, lines: 93 } },
};
