/** A run's effects in one line, the same from the interpreter as from an engine. */
import { toHex, u64LittleEndian } from '../../../bytes/index.ts';
import { blake3 } from '../../../crypto/index.ts';
import type { CorpusRun } from './case.ts';

export interface Effects {
  /** What every engine agrees on; which trap of WebAssembly it was is for people. */
  readonly end: 'returned' | 'out-of-gas' | 'stack-exhausted' | 'trapped' | 'not-instantiated';
  readonly gas: bigint;
  /** Bits, unsigned. */
  readonly results: readonly bigint[];
  /** Of a run that returned. */
  readonly stackSlotsLeft: number;
  readonly memory: Uint8Array;
}

/** What a run that is undone left in memory shows nowhere, and out of gas it is not even defined. */
export function lineOf(run: CorpusRun, effects: Effects): string {
  const { end, gas, results, stackSlotsLeft, memory } = effects;
  const parts = [`${run.name}: ${end}`, `gas ${gas}`];
  if (end === 'returned') {
    parts.push(`stack ${stackSlotsLeft}`, ...results.map((bits) => bits.toString(16)));
  }
  if (end === 'returned' || end === 'trapped') parts.push(`memory ${hashOfMemory(memory)}`);
  return parts.join(', ');
}

const PAGE = 65_536;

/** Of a memory: its size, and every page that is not all zeros behind its number. */
function hashOfMemory(memory: Uint8Array): string {
  if (memory.length === 0) return 'none';
  const parts: Uint8Array[] = [u64LittleEndian(BigInt(memory.length))];
  for (let start = 0; start < memory.length; start += PAGE) {
    const page = memory.subarray(start, start + PAGE);
    if (!isZero(page)) parts.push(u64LittleEndian(BigInt(start / PAGE)), page);
  }
  return hashOf(...parts);
}

/** Word by word, since some memories have 64 MiB. */
function isZero(page: Uint8Array): boolean {
  const words = new Uint32Array(page.buffer, page.byteOffset, page.length / 4);
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
  return true;
}

const hashOf = (...parts: readonly Uint8Array[]): string => toHex(blake3(...parts)).slice(2, 18);

/** How a frame that another one called came back. */
export interface FrameEnd {
  readonly depth: number;
  /** Of the stack, when it was called. */
  readonly stackLeft: number;
  readonly end: string;
  readonly gas: bigint;
}

/** A run of nested frames: the outermost, the innermost, and a hash over all of them. */
export function nestedLine(
  run: CorpusRun,
  end: string,
  gas: bigint,
  log: readonly FrameEnd[],
): string {
  const told = log.map((one) => `frame ${one.depth} on ${one.stackLeft} ${one.end} ${one.gas}`);
  const all = hashOf(new TextEncoder().encode(told.join('\n')));
  return [`${run.name}: ${end}`, `gas ${gas}`, ...told.slice(0, 1), `all ${all}`].join(', ');
}
