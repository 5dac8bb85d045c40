/** What a command ends with when it cannot do its work: an exit code, and what to try next. */
import { isPydeError, PydeError } from '@pyde/core/bytes';

export const EXIT = {
  success: 0,
  /** Wrong arguments, a wrong file, a check that failed. */
  validation: 1,
  /** A file, a port or another machine that cannot be had. */
  resource: 2,
  /** A defect of pyde. */
  internal: 64,
} as const;

/** Modules whose refusals come from files, ports and other machines. */
const RESOURCE_MODULES = new Set([
  ...['rpc', 'store', 'db', 'server', 'runtime', 'network', 'log', 'metrics', 'localnet', 'node'],
]);
/** … but these were caused by what was asked, */
const OF_THE_REQUEST = new Set(['rpc.url', 'rpc.params', 'node.no-seat', 'localnet.options']);
/** and these are no module of the above. */
const RESOURCES = new Set(['keys.missing', 'keys.no-chain', 'config.missing', 'genesis.missing']);

const NEXT: ReadonlyMap<string, string> = new Map([
  [
    'rpc.unreachable',
    'otigen devnet or pyde localnet starts a chain here; --rpc-url names another node',
  ],
  ['store.locked', 'stop the node that uses the folder, or name another one'],
  ['node.key-moved', 'docs/operators/keys.md says how a key moves'],
  ['network.key-live', 'stop the other node first; docs/operators/keys.md says how a key moves'],
]);

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly next: string | undefined;
  readonly exitCode: number;
}

export function toFailure(error: unknown): Failure {
  if (isPydeError(error)) {
    const { code, message } = error;
    const [module = ''] = code.split('.');
    const isResource =
      RESOURCES.has(code) || (RESOURCE_MODULES.has(module) && !OF_THE_REQUEST.has(code));
    const exitCode = isResource ? EXIT.resource : EXIT.validation;
    return { code, message, next: NEXT.get(code), exitCode };
  }
  if (isSystemError(error)) {
    const { code, message } = error;
    return { code, message, next: undefined, exitCode: EXIT.resource };
  }
  return {
    code: 'pyde.internal',
    message: error instanceof Error ? error.message : String(error),
    next: 'this is a defect of pyde: please report it with the stack that PYDE_STACK=1 prints',
    exitCode: EXIT.internal,
  };
}

export interface SystemError extends Error {
  readonly code: string;
}

/** An error of the operating system, such as ENOENT or EADDRINUSE. */
export function isSystemError(error: unknown, code?: string): error is SystemError {
  return (
    error instanceof Error &&
    'syscall' in error &&
    'code' in error &&
    typeof error.code === 'string' &&
    (code === undefined || error.code === code)
  );
}

/** Wrong arguments of any command. */
export const badArguments = (message: string): PydeError =>
  new PydeError('pyde.arguments', message);
