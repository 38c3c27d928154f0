/** One deliberate fault, and the tests that should notice it. */
export interface Fault {
  readonly name: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly from: string;
  readonly to: string;
  /** Test files; the first that fails has noticed it. */
  readonly tests: readonly string[];
  /** Only the tests whose names match; all of the files' without it. */
  readonly only?: string;
}

/** In `src/lib`; tests are named below `test/`, several apart by spaces. */
export const fault = (name: string, file: string, from: string, to: string, tests: string, only?: string): Fault => ({
  name,
  file: `src/lib/${file}.ts`,
  from,
  to,
  tests: tests.split(' ').map((test) => `test/${test}.test.ts`),
  ...(only && { only }),
});
