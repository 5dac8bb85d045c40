/**
 * The one error class of the project.
 *
 * Every refusal that another part, a peer or a person can cause is a `PydeError` with a stable
 * code `<module>.<reason>`; anything else that is thrown is a defect. `details` carries the values
 * that were wrong, as JSON-ready data, so that RPC and the command line can show them.
 */

export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

export class PydeError<Code extends string = string> extends Error {
  override readonly name = 'PydeError';
  readonly code: Code;
  readonly details: ErrorDetails;

  /**
   * @param code stable `<module>.<reason>`, part of the public interface
   * @param message what was wrong with which value, and what to do about it
   */
  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** True for a `PydeError`, and when `code` is given only for that code. */
export function isPydeError<C extends string>(error: unknown, code?: C): error is PydeError<C> {
  return error instanceof PydeError && (code === undefined || error.code === code);
}

/**
 * States what must hold if the program is right. A failure is a defect: it is thrown as a plain
 * `Error`, which nothing catches as a refusal, and stops the node.
 */
export function invariant(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${what}`);
}
