/**
 * What a command answers when it cannot do its work: a name that scripts can match, a sentence,
 * the values concerned, the next thing to try, and the exit code of OTIGEN_BINARY_SPEC §10.3.
 */
import { type ErrorDetails, PydeError } from '@pyde/core/bytes';

export const EXIT = {
  success: 0,
  /** Bad arguments, bad configuration, a check that failed. */
  validation: 1,
  /** File or network not reachable. */
  resource: 2,
  /** The transaction was refused or reverted. */
  transaction: 3,
  /** Wrong password, missing or damaged keystore entry. */
  wallet: 4,
  /** The signing account may not do this. */
  authorization: 5,
  /** A defect of otigen. */
  internal: 64,
} as const;

export type FailureKind = Exclude<keyof typeof EXIT, 'success'>;

export class Failure extends PydeError {
  readonly kind: FailureKind;
  /** What to try; one sentence or command. */
  readonly next: string | undefined;

  /** @param code PascalCase name, stable; printed after `otigen [ERROR]` */
  constructor(
    kind: FailureKind,
    code: string,
    message: string,
    more: { readonly details?: ErrorDetails; readonly next?: string } = {},
  ) {
    super(code, message, more.details);
    this.kind = kind;
    this.next = more.next;
  }

  get exitCode(): number {
    return EXIT[this.kind];
  }
}

/** Wrong arguments of any command. */
export function invalidArgs(message: string, next?: string): Failure {
  return new Failure('validation', 'InvalidArgs', message, next === undefined ? {} : { next });
}

/**
 * Any thrown value as a failure. A `PydeError` of another part was caused by what the command was
 * given, so it is a validation failure unless its module says otherwise; anything else is a defect.
 */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof PydeError) {
    const [module = ''] = error.code.split('.');
    const fromOutside = RESOURCE_MODULES.has(module) && !OF_THE_REQUEST.has(error.code);
    const kind = fromOutside ? 'resource' : 'validation';
    const next = NEXT.get(error.code);
    const more = next === undefined ? {} : { next };
    return new Failure(kind, error.code, error.message, { details: error.details, ...more });
  }
  if (isSystemError(error)) {
    const details = error.path === undefined ? {} : { path: error.path };
    return new Failure('resource', error.code, error.message, { details });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new Failure('internal', 'InternalError', message, {
    next: 'this is a defect of otigen: please report it with the output of the same command and -vv',
  });
}

/** Modules whose refusals come from files, ports and other machines. */
const RESOURCE_MODULES = new Set(['store', 'server', 'rpc', 'devnet', 'runtime']);
/** … but these were caused by what was asked. */
const OF_THE_REQUEST = new Set([
  ...['rpc.url', 'rpc.params', 'rpc.request', 'rpc.refused'],
  ...['devnet.prefund-count', 'devnet.load-state', 'devnet.chain-id'],
]);

/** What to try, where the part that failed does not know the commands. */
const NEXT: ReadonlyMap<string, string> = new Map([
  ['rpc.unreachable', 'otigen devnet starts a chain here; --rpc-url names another node'],
]);

interface SystemError extends Error {
  readonly code: string;
  readonly path?: string;
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
