/**
 * The node's log: pino behind core's `Logger`, one JSON object a line, or readable lines on a
 * terminal. A file is opened again on SIGHUP, which is what logrotate sends after it moved it.
 *
 * Writing never blocks the event loop and never stops the node: a reader that does not keep up, or
 * a disk that refuses, costs lines, and how many is told with the next one that gets through.
 */
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PydeError } from '@pyde/core/bytes';
import type { LogFields, Logger } from '@pyde/core/platform';
import { pino } from 'pino';
import { plainFields } from './log-fields.ts';
import { readableLine } from './readable-lines.ts';
import { RepeatLimit } from './repeat-limit.ts';

export type LogErrorCode = 'log.file';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const LOG_FORMATS = ['json', 'pretty'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export interface LogOptions {
  readonly level: LogLevel;
  /** Default: readable on a terminal, JSON otherwise. */
  readonly format?: LogFormat;
  /** Default: standard output. Its folder is made when missing. */
  readonly file?: string;
}

export interface NodeLog {
  readonly logger: Logger;
  /** Opens the file anew, after it was moved away; nothing without a file. */
  reopen(): void;
  /** Writes what waits, and lets go of the file and of SIGHUP; a second at most. Last call. */
  close(): Promise<void>;
}

/** Lines of one text in ten seconds. A busy chain has some 20 waves a second. */
const PER_WINDOW = { info: 500, warn: 10, error: 10 } as const;
/** Bytes that may wait to be written. */
const MAX_WAITING_BYTES = 1024 * 1024;
const STDOUT = 1;
const FILE_MODE = 0o640;
const CLOSE_GRACE_MS = 1_000;

type Output = ReturnType<typeof pino.destination>;

/** @throws PydeError `log.file` when the file cannot be opened */
export async function openLog(options: LogOptions): Promise<NodeLog> {
  const { level, file } = options;
  const output = await openOutput(file);
  const isTerminal = file === undefined && process.stdout.isTTY === true;
  const format = options.format ?? (isTerminal ? 'pretty' : 'json');
  const isColoured = isTerminal && process.env['NO_COLOR'] === undefined;
  let lost = 0;
  let isClosed = false;
  output.on('drop', () => lost++);
  // A disk that refuses is told by whoever needs it for more than a log.
  output.on('error', () => lost++);
  const stream =
    format === 'json'
      ? output
      : { write: (l: string) => output.write(readableLine(l, isColoured)) };
  const lines = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  const limits = {
    info: new RepeatLimit(PER_WINDOW.info),
    warn: new RepeatLimit(PER_WINDOW.warn),
    error: new RepeatLimit(PER_WINDOW.error),
  };
  const writer = (at: LogLevel) => (message: string, fields: LogFields) => {
    if (isClosed) return;
    const plain = plainFields(fields);
    if (lost > 0) plain['lines_lost'] = lost;
    lost = 0;
    lines[at](plain, message);
  };
  const write = {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
  };
  const limited =
    (at: 'info' | 'warn' | 'error') =>
    (message: string, fields: LogFields = {}): void => {
      if (lines.isLevelEnabled(at)) limits[at].pass(write[at], message, fields);
    };
  const logger: Logger = {
    debug: (message, fields = {}) => {
      if (lines.isLevelEnabled('debug')) write.debug(message, fields);
    },
    info: limited('info'),
    warn: limited('warn'),
    error: limited('error'),
  };
  const reopen = (): void => {
    if (file !== undefined) output.reopen();
  };
  if (file !== undefined) process.on('SIGHUP', reopen);
  const close = async (): Promise<void> => {
    process.off('SIGHUP', reopen);
    for (const limit of Object.values(limits)) limit.flush();
    isClosed = true;
    await ended(output);
  };
  return { logger, reopen, close };
}

/** Resolves also when nobody reads any more: then there is nowhere left to say so. */
function ended(output: Output): Promise<void> {
  return new Promise((resolve) => {
    const impatient = setTimeout(resolve, CLOSE_GRACE_MS);
    output.once('close', () => {
      clearTimeout(impatient);
      resolve();
    });
    output.end();
  });
}

async function openOutput(file: string | undefined): Promise<Output> {
  const bounds = { sync: false, maxLength: MAX_WAITING_BYTES };
  if (file === undefined) return pino.destination({ dest: STDOUT, ...bounds });
  try {
    await mkdir(dirname(file), { recursive: true });
    const output = pino.destination({ dest: file, mode: FILE_MODE, ...bounds });
    await once(output, 'ready');
    return output;
  } catch (error) {
    throw new PydeError<LogErrorCode>(
      'log.file',
      `cannot write the log file ${file}: ${error instanceof Error ? error.message : String(error)}` +
        '; choose a file that this user may write',
      { file },
    );
  }
}
