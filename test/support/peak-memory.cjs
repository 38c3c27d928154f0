// Loaded before a command: writes to the file that PEAK_MEMORY_FILE names how many bytes the process held at most.
const { writeFileSync } = require('node:fs');

process.on('exit', () => writeFileSync(process.env.PEAK_MEMORY_FILE, String(process.resourceUsage().maxRSS * 1024)));
