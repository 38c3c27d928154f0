import { errorCode } from './error-code.js';

/*
 * What an operating system's codes mean to a person, each to complete a sentence: "… cannot be read: it is a folder".
 */

const OF_ANY: Readonly<Record<string, string>> = {
  EISDIR: 'it is a folder',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its links lead in a circle',
  EIO: 'the disk, or what stands for one, does not answer',
  EROFS: 'its file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: "this user's share of the disk is used up",
  EFBIG: 'the file system takes no file of that size',
  EBUSY: 'another program holds it',
  ENOTEMPTY: 'another program writes into it',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
};
const OF_READING: Readonly<Record<string, string>> = {
  ...OF_ANY,
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
};
const OF_WRITING: Readonly<Record<string, string>> = {
  ...OF_ANY,
  ENOENT: 'there is no such folder',
  ENOTDIR: 'a file stands where its folder would be',
  EEXIST: 'something else stands in its place',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
};
const SYSTEM_CODE = /^E[A-Z0-9]+$/;

/** Why something was not read; undefined for what is no error of the system. */
export function whyNotRead(error: unknown): string | undefined {
  return wordsFor(error, OF_READING);
}

/** Why something was not written or removed; undefined for what is no error of the system. */
export function whyNotWritten(error: unknown): string | undefined {
  return wordsFor(error, OF_WRITING);
}

function wordsFor(error: unknown, words: Readonly<Record<string, string>>): string | undefined {
  const code = errorCode(error);
  return words[code] ?? (SYSTEM_CODE.test(code) ? `the system says ${code}` : undefined);
}
