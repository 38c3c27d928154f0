const { readFileSync } = require('node:fs');

/**
 * How many bytes this process held at most. What Linux says to `resourceUsage` begins with what the process that started this
 * one held, so that growth below that would not be seen.
 */
module.exports = function peakBytes() {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(kilobytes) * 1024;
};
