import { describe, expect, it } from 'vitest';
import { RpcMeter } from './rpc-meter.ts';

const rpc = (bytes: number): Uint8Array => {
  const head = bytes < 128 ? [bytes] : [(bytes & 0x7f) | 0x80, bytes >> 7];
  return Uint8Array.of(...head, ...new Uint8Array(bytes));
};
const many = (count: number, bytes: number): Uint8Array =>
  Buffer.concat(Array.from({ length: count }, () => rpc(bytes)));

/** How many of them pass at one moment before the first wait. */
function burst(bytes: number): number {
  const meter = new RpcMeter(0);
  const one = rpc(bytes);
  for (let passed = 0; ; passed++) if (meter.pass(one, 0) > 0) return passed;
}

describe('the meter of a gossip stream', () => {
  it('lets an honest burst pass', () => {
    expect(new RpcMeter(0).pass(many(64, 1_000), 0)).toBe(0);
  });

  it('counts an RPC of one byte nearly as one of a kilobyte', () => {
    expect(burst(1)).toBeGreaterThan(8_000);
    expect(burst(1)).toBeLessThan(8_192);
    expect(burst(1_000)).toBeGreaterThan(burst(1) / 2);
  });

  it('counts the same however the stream is cut', () => {
    const stream = many(10_000, 200);
    const whole = new RpcMeter(0);
    const cut = new RpcMeter(0);
    const waitMs = whole.pass(stream, 0);
    expect(waitMs).toBeGreaterThan(0);
    let last = 0;
    for (let at = 0; at < stream.length; at += 7) last = cut.pass(stream.subarray(at, at + 7), 0);
    expect(last).toBe(waitMs);
  });

  it('asks to wait until what came is paid for, and then no longer', () => {
    const meter = new RpcMeter(0);
    const waitMs = meter.pass(many(20_000, 100), 0);
    expect(meter.pass(new Uint8Array(0), waitMs - 1)).toBeGreaterThan(0);
    expect(meter.pass(new Uint8Array(0), waitMs)).toBe(0);
  });

  it('takes an endless length for what it is: one RPC after another', () => {
    const meter = new RpcMeter(0);
    expect(meter.pass(new Uint8Array(100_000).fill(0xff), 0)).toBe(0);
  });
});
