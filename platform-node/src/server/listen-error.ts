/** Why a server cannot listen, and what to do about it. */
import { PydeError } from '@pyde/core/bytes';

export type ServerErrorCode =
  | 'server.port-taken'
  | 'server.port-forbidden'
  | 'server.address'
  | 'server.listen';

/** A `PydeError` of {@link ServerErrorCode} for what `listen` threw. */
export function listenError(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const where = `${host}:${port}`;
  const details = { host, port };
  switch (code) {
    case 'EADDRINUSE':
      return new PydeError(
        'server.port-taken',
        `${where} is taken by another program; stop that program, or choose another port`,
        details,
      );
    case 'EACCES':
      return new PydeError(
        'server.port-forbidden',
        `this user may not listen on ${where}; choose a port above 1023`,
        details,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new PydeError(
        'server.address',
        `${host} is not an address of this machine; use 127.0.0.1, or 0.0.0.0 for all`,
        details,
      );
    default:
      return new PydeError(
        'server.listen',
        `cannot listen on ${where}: ${error instanceof Error ? error.message : String(error)}`,
        details,
      );
  }
}
