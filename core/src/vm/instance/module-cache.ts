/**
 * Modules ready to run, by the Blake3 of their code, so that a contract's first call in a while
 * pays for decoding and compilation and no other does. Bounded in number and in estimated bytes;
 * the one that was used longest ago goes first. Refused modules are not held: whoever sends one
 * pays for its validation each time.
 */
import { equalBytes, toHex } from '../../bytes/index.ts';
import { blake3 } from '../../crypto/index.ts';
import type { ContractType } from '../validate/index.ts';
import { HostFault } from './host-fault.ts';
import { type PreparedModule, prepareModule } from './prepared-module.ts';

export interface ModuleCacheOptions {
  /** Of all modules together, as estimated (`PreparedModule.estimatedBytes`). */
  readonly maxBytes: number;
  readonly maxModules?: number;
}

export class ModuleCache {
  readonly #maxBytes: number;
  readonly #maxModules: number;
  /** Least recently used first. */
  readonly #modules = new Map<string, PreparedModule>();
  #bytes = 0;

  constructor({ maxBytes, maxModules = 1_000 }: ModuleCacheOptions) {
    this.#maxBytes = maxBytes;
    this.#maxModules = maxModules;
  }

  /** Modules held, and their estimated bytes. */
  get held(): { readonly modules: number; readonly bytes: number } {
    return { modules: this.#modules.size, bytes: this.#bytes };
  }

  /**
   * The module of `codeHash`.
   *
   * @param code the code, or what reads it; used only when the module is not held, and then
   *   checked against `codeHash`
   * @throws WasmError for a module that this chain does not accept
   * @throws HostFault where the code is not that of `codeHash`, or the engine cannot compile it
   */
  prepare(
    codeHash: Uint8Array,
    code: Uint8Array | (() => Uint8Array),
    type: ContractType,
  ): PreparedModule {
    const key = `${type}:${toHex(codeHash)}`;
    const held = this.#modules.get(key);
    if (held !== undefined) {
      this.#modules.delete(key);
      this.#modules.set(key, held);
      return held;
    }
    const bytes = typeof code === 'function' ? code() : code;
    if (!equalBytes(blake3(bytes), codeHash)) {
      throw new HostFault(`the code of ${toHex(codeHash)} has another hash`);
    }
    const module = prepareModule(bytes, type);
    this.#modules.set(key, module);
    this.#bytes += module.estimatedBytes;
    this.#evict();
    return module;
  }

  /** A module larger than the whole cache is not held at all. */
  #evict(): void {
    for (const [key, module] of this.#modules) {
      if (this.#bytes <= this.#maxBytes && this.#modules.size <= this.#maxModules) return;
      this.#modules.delete(key);
      this.#bytes -= module.estimatedBytes;
    }
  }
}
