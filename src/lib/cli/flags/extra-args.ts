const FLAG = '--extra-args';

/**
 * oclif takes a value that looks like one of the command's own flags (`--extra-args --no-mmap`) for that flag; a blank
 * in front, which splitting into words drops again, makes it a value.
 */
export function shieldExtraArgs(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return argv.map((word, index) => {
    if (end >= 0 && index >= end) return word;
    if (word.startsWith(`${FLAG}=-`)) return word.replace('=', '= ');
    return argv[index - 1] === FLAG && word.startsWith('-') ? ` ${word}` : word;
  });
}
