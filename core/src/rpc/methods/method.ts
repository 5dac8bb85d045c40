/** The shape of one RPC method, and the state that it reads. */

import type { StateReader } from '../../state/index.ts';
import type { RpcBackend } from '../backend.ts';
import { badParams, notServed } from '../error.ts';
import { optional, readU64 } from '../params.ts';

export interface RpcMethod {
  /**
   * Names of the parameters in order; a trailing `?` marks an optional one. undefined in a method
   * that is not served: it refuses whatever it is given.
   */
  readonly params: readonly string[] | undefined;
  /**
   * In a batch it may start before its neighbours of the same kind are answered: it takes its place
   * in the order synchronously, when it starts.
   */
  readonly overlaps?: boolean;
  /** Served to whoever runs the node alone. */
  readonly isForOperator?: boolean;
  /** @throws PydeError; `rpc.params` for parameters that it cannot read */
  run(backend: RpcBackend, params: readonly unknown[]): unknown;
}

export type MethodTable = Readonly<Record<string, RpcMethod>>;

/**
 * The state that an optional wave parameter asks for: that of the newest wave, or an older one.
 * @throws PydeError `state.pruned` at the first read, naming the oldest wave that is kept;
 *   `rpc.params` for a wave that is not executed yet
 */
export function stateAt(backend: RpcBackend, wave: unknown): StateReader {
  const waveId = optional(wave, 'wave', readU64);
  if (waveId === undefined) return backend.state;
  const head = backend.head().waveId;
  if (waveId > head) {
    throw badParams(`wave ${waveId} is not executed yet; the newest is ${head}`);
  }
  return { get: (key) => backend.state.getAt(key, waveId) };
}

/** A method of spec/rpc.md that needs a part of the chain which does not exist yet. */
export function later(name: string, what: string): RpcMethod {
  return {
    params: undefined,
    run: () => {
      throw notServed(name, what);
    },
  };
}
