/**
 * The signing kernel, core/kernels/falcon-sign.ts: one instance with its own memory and room for a
 * fixed number of expanded keys. Sizes and the order of calls are the caller's duty.
 */
import { invariant } from '../bytes/index.ts';
import { type Kernel, loadKernel } from './kernel.ts';
import { wasmBase64 } from './kernels/falcon-sign.generated.ts';

const EXPORTS = [
  'reserve',
  'input',
  'inputBytes',
  'output',
  'outputBytes',
  'expandedKey',
  'expandKey',
  'clearKey',
  'hashStart',
  'hashAbsorb',
  'sign',
  'presetStream',
  'sampleInteger',
] as const;

export interface FalconSignKernel extends Kernel<(typeof EXPORTS)[number]> {
  readonly slots: number;
  /** Where the kernel reads what is handed to it. */
  readonly inbox: Uint8Array;
  /** Where it leaves the encoded s2. */
  readonly outbox: Uint8Array;
}

/** A fresh kernel with `slots` empty slots of 57,344 bytes. */
export function createFalconSignKernel(slots: number): FalconSignKernel {
  const { memory, call } = loadKernel(wasmBase64, EXPORTS);
  invariant(call.reserve(slots) === 1, `no memory for ${slots} expanded FALCON keys`);
  // Memory grows only in `reserve`, so these views stay valid.
  const inbox = new Uint8Array(memory.buffer, call.input(), call.inputBytes());
  const outbox = new Uint8Array(memory.buffer, call.output(), call.outputBytes());
  return { memory, call, slots, inbox, outbox };
}
