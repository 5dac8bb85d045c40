import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectionCaps, type ConnectionLimits } from './connection-limits.ts';

const ROOMY: ConnectionLimits = {
  maxConnections: 1_000,
  reservedForCommittee: 4,
  maxPerHost: 1_000,
  maxPerSubnet: 1_000,
  newPerSecondPerHost: 1_000,
  newPerSecond: 1_000,
  maxPending: 1_000,
  maxPendingPerHost: 1_000,
  pendingForCommitteeHost: 2,
  handshakeTimeoutMs: 10_000,
  exemptLocal: false,
};
const capsOf = (limits: Partial<ConnectionLimits>) =>
  new ConnectionCaps({ ...ROOMY, ...limits }, 0);

const host = (i: number) => `198.51.${Math.floor(i / 250)}.${(i % 250) + 1}`;

/** Refusal, or ticket. */
function arrive(caps: ConnectionCaps, address: string, nowMs = 0): string | number {
  const admission = caps.arrive(address, nowMs);
  return admission.admitted ? admission.ticket : admission.refusal;
}
const arriveAll = (caps: ConnectionCaps, addresses: readonly string[], nowMs = 0) =>
  addresses.map((address) => {
    const answer = arrive(caps, address, nowMs);
    return typeof answer === 'number' ? 'in' : answer;
  });

describe('caps of connections', () => {
  it('hold in all', () => {
    const caps = capsOf({ maxConnections: 2 });
    expect(arriveAll(caps, [host(1), host(2), host(3)])).toEqual(['in', 'in', 'full']);
  });

  it('hold for a host, in whatever form its address is written', () => {
    const caps = capsOf({ maxPerHost: 2 });
    const addresses = ['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.1', '192.0.2.2'];
    expect(arriveAll(caps, addresses)).toEqual(['in', 'in', 'host-full', 'in']);
    const v6 = ['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:0:1::1'];
    expect(arriveAll(caps, v6)).toEqual(['in', 'in', 'host-full', 'in']);
  });

  it('hold for a /24 and a /48', () => {
    const caps = capsOf({ maxPerSubnet: 2 });
    const v4 = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.3.1'];
    expect(arriveAll(caps, v4)).toEqual(['in', 'in', 'subnet-full', 'in']);
    const v6 = ['2001:db8:1:1::1', '2001:db8:1:2::1', '2001:db8:1:3::1', '2001:db8:2::1'];
    expect(arriveAll(caps, v6)).toEqual(['in', 'in', 'subnet-full', 'in']);
  });

  it('hold for new ones a second, of a host and in all', () => {
    const caps = capsOf({ newPerSecondPerHost: 2, newPerSecond: 3 });
    const addresses = [host(1), host(1), host(1), host(2), host(3)];
    expect(arriveAll(caps, addresses)).toEqual(['in', 'in', 'host-rate', 'in', 'rate']);
    expect(arriveAll(caps, [host(1)], 1_000)).toEqual(['in']);
  });

  it('hold for those whose handshake is not complete', () => {
    const caps = capsOf({ maxPending: 3, maxPendingPerHost: 2 });
    const first = arrive(caps, host(1));
    expect(arriveAll(caps, [host(1), host(1), host(2), host(3)])).toEqual([
      'in',
      'host-pending-full',
      'in',
      'pending-full',
    ]);
    caps.complete(Number(first));
    expect(arriveAll(caps, [host(1)])).toEqual(['in']);
  });

  it('refuse what is no address', () => {
    expect(arriveAll(capsOf({}), ['', '1.2.3', 'localhost', '::g'])).toEqual(
      Array(4).fill('address'),
    );
  });

  it('let one machine be many hosts only where that is asked for', () => {
    const tight = { maxPerHost: 1, maxPerSubnet: 1, newPerSecondPerHost: 1, maxPendingPerHost: 1 };
    const local = ['127.0.0.1', '127.0.0.1', '::1', '10.0.0.1', '192.168.0.1', '192.168.0.1'];
    expect(arriveAll(capsOf(tight), local)).toEqual([
      'in',
      'host-full',
      'in',
      'in',
      'in',
      'host-full',
    ]);
    expect(arriveAll(capsOf({ ...tight, exemptLocal: true }), local)).toEqual(Array(6).fill('in'));
    const full = capsOf({ exemptLocal: true, maxConnections: 1 });
    expect(arriveAll(full, local.slice(0, 2))).toEqual(['in', 'full']);
  });

  it('are given back on release, once', () => {
    const caps = capsOf({ maxConnections: 1 });
    const ticket = Number(arrive(caps, host(1)));
    caps.release(ticket);
    caps.release(ticket);
    expect(caps.counts).toEqual({ committee: 0, ordinary: 0, pending: 0 });
    expect(arriveAll(caps, [host(2), host(3)])).toEqual(['in', 'full']);
  });
});

describe('committee members', () => {
  it('have places of their own, and give ordinary ones back', () => {
    const caps = capsOf({ maxConnections: 1 });
    caps.proven(Number(arrive(caps, host(1))));
    expect(caps.counts).toEqual({ committee: 1, ordinary: 0, pending: 0 });
    expect(arriveAll(caps, [host(2), host(3)])).toEqual(['in', 'full']);
  });

  it.each<[string, Partial<ConnectionLimits>]>([
    ['connections', { maxConnections: 20 }],
    ['neighbours', { maxConnections: 20, maxPerHost: 5, maxPerSubnet: 10 }],
    ['new connections', { newPerSecond: 20 }],
    ['new connections from its own host', { newPerSecond: 20, newPerSecondPerHost: 5 }],
    ['pending handshakes', { maxPending: 20 }],
  ])('come in again however many %s there are', (_what, limits) => {
    const caps = capsOf(limits);
    const first = Number(arrive(caps, host(7)));
    caps.proven(first);
    caps.release(first);
    let inside = 0;
    for (let i = 0; i < 600; i++) {
      // Neighbours in the member's own house among them, whose handshakes end.
      const answer = arrive(caps, i % 2 === 0 ? host(7) : host(i));
      if (typeof answer !== 'number') continue;
      if (caps.identified(answer, false) !== undefined) caps.release(answer);
      else if (i % 2 === 0) caps.complete(answer);
      inside++;
    }
    expect(inside).toBeLessThan(600);
    expect(arrive(caps, host(8))).toEqual(expect.any(String));
    const member = Number(arrive(caps, host(7)));
    expect(member).toBeGreaterThan(0);
    expect(caps.identified(member, true)).toBeUndefined();
  });

  it('are told from others behind the same address once the peer id is known', () => {
    const caps = capsOf({ maxPerHost: 1 });
    caps.provenAt(host(1));
    expect(caps.isCommitteeHost(host(1))).toBe(true);
    const ordinary = Number(arrive(caps, host(1)));
    expect(caps.identified(ordinary, false)).toBeUndefined();
    const beyond = Number(arrive(caps, host(1)));
    expect(caps.identified(beyond, false)).toBe('host-full');
    caps.release(beyond);
    const member = Number(arrive(caps, host(1)));
    expect(caps.identified(member, true)).toBeUndefined();
    expect(caps.counts).toEqual({ committee: 1, ordinary: 1, pending: 2 });
  });

  it('are no more than there are places for; the rest count as anybody', () => {
    const caps = capsOf({ reservedForCommittee: 1 });
    for (const i of [1, 2]) caps.proven(Number(arrive(caps, host(i))));
    expect(caps.counts).toEqual({ committee: 1, ordinary: 1, pending: 0 });
  });
});

describe('the counts', () => {
  it('never pass a cap and end at nothing, whatever happens in whatever order', () => {
    const act = fc.record({
      what: fc.constantFrom('arrive', 'identified', 'member', 'complete', 'proven', 'release'),
      which: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 120 }), (acts) => {
        const caps = capsOf({ maxConnections: 6, maxPerHost: 3, maxPending: 4 });
        const tickets: number[] = [];
        for (const [i, { what, which }] of acts.entries()) {
          if (what === 'arrive') {
            const answer = arrive(caps, host(which % 4), i * 1_000);
            if (typeof answer === 'number') {
              tickets.push(answer);
              // As the gater does: it is asked at once.
              if (caps.identified(answer, false) !== undefined) caps.release(answer);
            }
            continue;
          }
          const ticket = tickets[which % Math.max(1, tickets.length)];
          if (ticket === undefined) continue;
          if (what === 'identified') caps.identified(ticket, false);
          else if (what === 'member') caps.identified(ticket, true);
          else if (what === 'complete') caps.complete(ticket);
          else if (what === 'proven') caps.proven(ticket);
          else caps.release(ticket);
          expect(caps.counts.ordinary).toBeLessThanOrEqual(6);
          expect(caps.counts.committee).toBeLessThanOrEqual(4);
        }
        for (const ticket of tickets) caps.release(ticket);
        expect(caps.counts).toEqual({ committee: 0, ordinary: 0, pending: 0 });
      }),
    );
  });
});
