/** Why an answer of a peer is not believed. */
import { PydeError } from '../bytes/index.ts';

export type SyncErrorCode =
  | 'sync.size'
  | 'sync.unasked'
  | 'sync.wave'
  | 'sync.record'
  | 'sync.transactions'
  | 'sync.closing'
  | 'sync.cert';

export const syncError = (
  code: SyncErrorCode,
  message: string,
  details: Readonly<Record<string, number | string>> = {},
): PydeError<SyncErrorCode> => new PydeError(code, message, details);
