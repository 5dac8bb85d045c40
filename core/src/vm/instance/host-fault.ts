/**
 * A fault of this machine, as opposed to one of the contract: no memory, no native stack, an
 * engine that refuses what it must accept, a defect in a host function. Other nodes would not see
 * it, so it may never become a result: it passes through every frame, ends the transaction
 * without an outcome, and stops the node.
 */

export class HostFault extends Error {
  override readonly name = 'HostFault';

  /**
   * @param what what could not be done
   * @param cause what was thrown, where something was
   */
  constructor(what: string, cause?: unknown) {
    super(`host fault: ${what}${cause instanceof Error ? `: ${cause.message}` : ''}`, { cause });
  }
}

/** `error` itself where it is a host fault already, else one that holds it. */
export function asHostFault(what: string, error: unknown): HostFault {
  return error instanceof HostFault ? error : new HostFault(what, error);
}
