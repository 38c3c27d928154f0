import { TooLargeAnswer } from '../connection-errors.js';
import { listPageOf, type ListPage } from './large-objects.js';

/** Half a megabyte, with objects as large as operators make them. */
const PAGE_SIZE = 100;
/** Where objects are as large as etcd has them, an answer holds so many. */
const SMALL_PAGE_SIZE = 4;
/** Of all pages, in characters: thousands of objects as large as operators make them. */
const MAX_LENGTH = 12 * 2 ** 20;
/** Of all pages; a small object takes two kilobytes. */
export const MAX_OBJECTS = 8_000;
/** Servers may send pages with fewer objects than were asked for, or none, but not for ever. */
const MAX_PAGES = 200;
/** Of all pages together; a page that is under way is not cut off. */
const TIMEOUT_MS = 60_000;

/** What makes errors of a list. */
export interface ListErrors {
  readonly noItems: (text: string) => Error;
  readonly withoutEnd: () => Error;
}

/**
 * The pages of a list, one after the other. Where a page is too large to be read, it is asked for in smaller ones.
 * @param ask for the text of a page
 */
export async function* listPages(
  ask: (query: Readonly<Record<string, string>>) => Promise<string>,
  errors: ListErrors,
): AsyncGenerator<ListPage> {
  const end = performance.now() + TIMEOUT_MS;
  let size = PAGE_SIZE;
  let next = '';
  let length = 0;
  let count = 0;
  for (let pages = 1; ; pages++) {
    const text = await orSmaller(size, () => ask({ limit: String(size), ...(next !== '' && { continue: next }) }));
    if (pages > MAX_PAGES || performance.now() > end) throw errors.withoutEnd();
    size = text === undefined ? SMALL_PAGE_SIZE : Math.min(2 * size, PAGE_SIZE);
    if (text === undefined) continue;
    const page = listPageOf(text, MAX_OBJECTS);
    if (page === undefined) throw errors.noItems(text);
    length += page.length;
    count += page.items.length;
    if (length > MAX_LENGTH || count > MAX_OBJECTS) throw errors.withoutEnd();
    yield page;
    next = page.next;
    if (next === '') return;
  }
}

/** Undefined where a smaller page may be read. */
async function orSmaller(size: number, ask: () => Promise<string>): Promise<string | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof TooLargeAnswer && size > SMALL_PAGE_SIZE) return undefined;
    throw error;
  }
}
