/** Listening, and why a server cannot, and what to do about it. */
import { PydeError } from '@pyde/core/bytes';
import type { FastifyInstance } from 'fastify';

export type ServerErrorCode =
  | 'server.port-taken'
  | 'server.port-forbidden'
  | 'server.address'
  | 'server.listen';

export interface BoundAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Listens; a server that cannot is closed. @returns the address that it is bound to
 * @throws PydeError of {@link ServerErrorCode}
 */
export async function listenOn(
  app: FastifyInstance,
  { host, port }: BoundAddress,
): Promise<BoundAddress> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    throw listenError(error, host, port);
  }
  const address = app.server.address();
  return typeof address === 'object' && address !== null
    ? { host: address.address, port: address.port }
    : { host, port };
}

/** A `PydeError` of {@link ServerErrorCode} for what `listen` threw. */
function listenError(error: unknown, host: string, port: number): unknown {
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
