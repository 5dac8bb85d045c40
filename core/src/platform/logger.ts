/** Log lines with structured fields; the platform decides where they go and which are shown. */

export type LogFields = Readonly<Record<string, string | number | bigint | boolean | null>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

const drop = (): void => {};

/** A logger that says nothing. */
export const silentLogger: Logger = { debug: drop, info: drop, warn: drop, error: drop };
