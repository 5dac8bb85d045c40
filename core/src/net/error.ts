/** Why bytes, addresses or a link of the network are refused. */
import { type ErrorDetails, PydeError } from '../bytes/index.ts';

export type NetErrorCode =
  | 'net.frame'
  | 'net.address'
  | 'net.peer-id'
  | 'net.record'
  | 'net.exchange'
  | 'net.store'
  | 'net.handshake';

export const netError = (
  code: NetErrorCode,
  message: string,
  details: ErrorDetails = {},
): PydeError<NetErrorCode> => new PydeError(code, message, details);
