// Reads the header of each file named on the command line, whatever comes of it, and prints by how many bytes the
// process grew at most.
import { readGgufHeader } from '../../dist/lib/source/read-header.js';
import peakBytes from './peak-bytes.cjs';

const before = peakBytes();
const outcomes = [];
for (const path of process.argv.slice(2)) {
  outcomes.push(
    await readGgufHeader(path).then(
      ({ tensors }) => tensors.length,
      ({ code }) => code,
    ),
  );
}
console.log(JSON.stringify({ grownBytes: peakBytes() - before, outcomes }));
