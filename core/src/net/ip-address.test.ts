import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPydeError } from '../bytes/index.ts';
import { hostKey, ipOfMultiaddr, isLoopback, isPrivate, parseIp, subnetKey } from './ip-address.ts';

const bytesOf = (text: string): number[] => [...parseIp(text).bytes];

describe('addresses', () => {
  it.each([
    ['192.0.2.1', [192, 0, 2, 1]],
    ['0.0.0.0', [0, 0, 0, 0]],
    ['255.255.255.255', [255, 255, 255, 255]],
    ['::ffff:192.0.2.1', [192, 0, 2, 1]],
    ['::FFFF:c000:0201', [192, 0, 2, 1]],
    ['0:0:0:0:0:ffff:192.0.2.1', [192, 0, 2, 1]],
    ['::', Array(16).fill(0)],
    ['::1', [...Array(15).fill(0), 1]],
    ['1::', [0, 1, ...Array(14).fill(0)]],
    ['2001:db8::a:b', [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 11]],
    ['1:2:3:4:5:6:7:8', [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]],
    ['1:2:3:4:5:6:7::', [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0]],
    ['64:ff9b::192.0.2.1', [0, 0x64, 0xff, 0x9b, ...Array(8).fill(0), 192, 0, 2, 1]],
  ])('%s is read', (text, bytes) => {
    expect(bytesOf(text)).toEqual(bytes);
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4 ',
    '+1.2.3.4',
    '0x1.2.3.4',
    '1.2.3.',
    '1e1.2.3.4',
    '١.2.3.4',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '12345::',
    'g::',
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:',
    '::1.2.3.4:1',
    '1.2.3.4::',
    '::1.2.3',
    '::1.2.3.256',
    'fe80::1%eth0',
    '[::1]',
    `::${'0'.repeat(60)}`,
  ])('%j is refused', (text) => {
    expect(() => parseIp(text)).toThrow(
      expect.toSatisfy((error: unknown) => isPydeError(error, 'net.address')),
    );
  });

  it('every written form of an IPv6 address is the same address', () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(
        fc.array(group, { minLength: 8, maxLength: 8 }),
        fc.nat(7),
        fc.integer({ min: 1, max: 8 }),
        (groups, at, count) => {
          const run = Math.min(count, 8 - at);
          const zeroed = groups.map((g, i) => (i >= at && i < at + run ? 0 : g));
          const long = zeroed.map((g) => g.toString(16).padStart(4, '0').toUpperCase()).join(':');
          const hex = (part: readonly number[]) => part.map((g) => g.toString(16)).join(':');
          const short = `${hex(zeroed.slice(0, at))}::${hex(zeroed.slice(at + run))}`;
          expect(parseIp(short)).toEqual(parseIp(long));
        },
      ),
    );
  });

  it('counts one /64 of IPv6 as a host and one IPv4 address whatever it is written in', () => {
    const host = (text: string) => hostKey(parseIp(text));
    expect(host('2001:db8:1:2::1')).toBe(host('2001:db8:1:2:ffff::9'));
    expect(host('2001:db8:1:2::1')).not.toBe(host('2001:db8:1:3::1'));
    expect(host('::ffff:192.0.2.1')).toBe(host('192.0.2.1'));
    expect(host('192.0.2.1')).not.toBe(host('192.0.2.2'));
    const subnet = (text: string) => subnetKey(parseIp(text));
    expect(subnet('192.0.2.1')).toBe(subnet('192.0.2.255'));
    expect(subnet('192.0.2.1')).not.toBe(subnet('192.0.3.1'));
    expect(subnet('2001:db8:1:2::1')).toBe(subnet('2001:db8:1:ffff::1'));
    expect(subnet('2001:db8:1::1')).not.toBe(subnet('2001:db8:2::1'));
  });

  it.each([
    ['127.0.0.1', true, false],
    ['127.255.0.9', true, false],
    ['::1', true, false],
    ['::ffff:127.0.0.1', true, false],
    ['::2', false, false],
    ['10.1.2.3', false, true],
    ['172.16.0.1', false, true],
    ['172.32.0.1', false, false],
    ['192.168.1.1', false, true],
    ['192.169.1.1', false, false],
    ['100.64.0.1', false, true],
    ['100.128.0.1', false, false],
    ['169.254.1.1', false, true],
    ['fd00::1', false, true],
    ['fe80::1', false, true],
    ['fec0::1', false, false],
    ['2001:db8::1', false, false],
  ])('%s: loopback %s, private %s', (text, loopback, local) => {
    expect([isLoopback(parseIp(text)), isPrivate(parseIp(text))]).toEqual([loopback, local]);
  });

  it('are found at the front of multiaddrs', () => {
    const of = (text: string) => ipOfMultiaddr(text)?.bytes.length;
    expect(of('/ip4/192.0.2.1/tcp/1')).toBe(4);
    expect(of('/ip6/2001:db8::1/udp/1/quic-v1')).toBe(16);
    expect(of('/ip6/::ffff:192.0.2.1/tcp/1')).toBe(4);
    for (const none of ['/dns4/a/tcp/1', '/ip4/::1/tcp/1', '/ip6/192.0.2.1', '/ip4', '', 'ip4/1']) {
      expect(of(none)).toBeUndefined();
    }
  });
});
