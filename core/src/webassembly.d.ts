/**
 * WebAssembly as core uses it. A file of its own, which its users refer to, because the packages
 * that take in core's sources with @types/node have no declaration of it.
 */
declare namespace WebAssembly {
  function validate(bytes: Uint8Array): boolean;
  class Module {
    constructor(bytes: Uint8Array);
    static customSections(module: Module, name: string): ArrayBuffer[];
  }
  class Instance {
    constructor(module: Module, imports?: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, unknown>;
  }
  class Memory {
    constructor(limits: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Global<T extends number | bigint = number | bigint> {
    value: T;
  }
  class RuntimeError extends Error {}
}
