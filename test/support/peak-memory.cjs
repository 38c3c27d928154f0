// Loaded before a command: writes to the file that PEAK_MEMORY_FILE names how many bytes the process held at most.
const { writeFileSync } = require('node:fs');
const peakBytes = require('./peak-bytes.cjs');

process.on('exit', () => writeFileSync(process.env.PEAK_MEMORY_FILE, String(peakBytes())));
