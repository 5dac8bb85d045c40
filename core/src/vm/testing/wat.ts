/** WebAssembly text to binary, for tests: by wabt, whose writer has nothing in common with ours. */
import wabt from 'wabt';

const toolkit = await wabt();

/** What may be switched on in the text; what contracts may use is switched on by itself. */
type Features = NonNullable<Parameters<(typeof toolkit)['parseWat']>[2]>;

const ACCEPTED: Features = {
  mutable_globals: true,
  sat_float_to_int: true,
  sign_extension: true,
  multi_value: true,
  bulk_memory: true,
};

/**
 * The module that `text` says, e.g. `(module (func (export "f")))`. It is not validated: texts may
 * have wrong types, but not wrong syntax or names.
 *
 * @throws {Error} with wabt's message, when it is no text of a module
 */
export function wat(text: string | Uint8Array, features: Features = {}): Uint8Array {
  const module = toolkit.parseWat('test.wat', text, { ...ACCEPTED, ...features });
  try {
    module.resolveNames();
    return module.toBinary({ write_debug_names: false }).buffer.slice();
  } finally {
    module.destroy();
  }
}
