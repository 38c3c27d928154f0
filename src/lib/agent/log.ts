import { LlmkubeError } from '../errors.js';
import { jsonText } from '../printable.js';

/** What is said of one thing, as fields. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type AgentLog = Readonly<Record<LogLevel, (message: string, fields?: LogFields) => void>>;

export interface LogOptions {
  readonly level: LogLevel;
  /** JSON for machines, text for a terminal. */
  readonly format: 'json' | 'text';
  readonly write: (line: string) => void;
}

/** What went wrong, without the name of its class, which the bundled program has not. */
export function problemText(error: unknown): string {
  return error instanceof LlmkubeError ? error.message : String(error);
}

/** The same as fields. */
export function problem(error: unknown): LogFields {
  return { error: problemText(error), ...(error instanceof LlmkubeError && { code: error.code }) };
}

/** One line a message, on whatever `write` is. */
export function createLog({ level, format, write }: LogOptions): AgentLog {
  const say =
    (own: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (LOG_LEVELS.indexOf(own) < LOG_LEVELS.indexOf(level)) return;
      const time = new Date().toISOString();
      write(
        format === 'json'
          ? jsonText({ time, level: own, msg: message, ...fields }, 0)
          : text(time, own, message, fields),
      );
    };
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}

function text(time: string, level: LogLevel, message: string, fields: LogFields): string {
  const pairs = Object.entries(fields).filter(([, value]) => value !== undefined);
  const words = pairs.map(
    ([name, value]) => `${name}=${typeof value === 'string' ? JSON.stringify(value) : String(value)}`,
  );
  return [time.slice(11, 19), level.toUpperCase(), message.replaceAll('\n', '\\n'), ...words].join(' ');
}
