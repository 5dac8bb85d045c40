/**
 * Messages between committee members. The network is trusted with nothing: what arrives was only
 * size-checked. A committee of one never sends.
 */

export interface Transport {
  /** To one member, by its index in the committee; dropped without notice if it is unreachable. */
  send(member: number, message: Uint8Array): void;
  /** To every other member. */
  broadcast(message: Uint8Array): void;
}
