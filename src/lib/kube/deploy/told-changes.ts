import type { Kind } from '../client/api.js';

/** Something to know, such as a namespace that may not be meant. */
interface NoteEvent {
  readonly type: 'note';
  readonly message: string;
}

/** What a person follows while waiting. */
export type WaitEvent =
  | NoteEvent
  | { readonly type: 'phase'; readonly kind: Kind; readonly phase: string; readonly message: string }
  | { readonly type: 'retry'; readonly message: string };

/** A start has some twenty; who is told of hundreds learns nothing more, and what a cluster may write into a log must end. */
const MOST_CHANGES = 200;
/** Of one sentence, in characters: operators' have some hundred, and the last one comes whole with the end of the waiting. */
const MOST_SHOWN = 2000;

/** Tells what happens while something is waited for, but neither for ever nor at any length. */
export function tellingChanges(tell: ((event: WaitEvent) => void) | undefined): (event: WaitEvent) => void {
  let count = 0;
  return (event) => {
    count += 1;
    if (count <= MOST_CHANGES) tell?.(shortened(event));
    if (count === MOST_CHANGES + 1) {
      const message = `what the cluster says has changed ${MOST_CHANGES} times; it is waited for as before, but no further change is told`;
      tell?.({ type: 'note', message });
    }
  };
}

function shortened(event: WaitEvent): WaitEvent {
  const message = cut(event.message);
  return event.type === 'phase' ? { ...event, phase: cut(event.phase), message } : { ...event, message };
}

function cut(text: string): string {
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}…`;
}
