import { isPydeError } from '@pyde/core/bytes';
import { describe, expect, it } from 'vitest';
import { type DnsResolver, lookUp, parseDnsSeed } from './dns-seeds.ts';

const PEER = '12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo';
const absent = async (): Promise<never> => {
  throw Object.assign(new Error('queryTxt ENODATA'), { code: 'ENODATA' });
};
const dns = (zone: Partial<DnsResolver>): DnsResolver => ({
  resolveTxt: absent,
  resolve4: absent,
  resolve6: absent,
  ...zone,
});

describe('a DNS seed', () => {
  it('is a name, with or without a port', () => {
    expect(parseDnsSeed('seed.example.org')).toEqual({ name: 'seed.example.org', port: undefined });
    expect(parseDnsSeed('seed.example.org:9000')).toEqual({ name: 'seed.example.org', port: 9000 });
  });

  it('is nothing else', () => {
    const wrong = [
      '',
      '/ip4/1.2.3.4/tcp/1',
      'a b',
      'seed:0',
      'seed:65536',
      'seed:',
      'a:1:2',
      '.org',
    ];
    for (const text of [...wrong, 'x'.repeat(300)]) {
      let code = 'none';
      try {
        parseDnsSeed(text);
      } catch (error) {
        code = isPydeError(error) ? error.code : String(error);
      }
      expect([text, code]).toEqual([text, 'network.address']);
    }
  });

  it('gives the addresses of its TXT records, whole where they were cut', async () => {
    const zone = dns({
      resolveTxt: async (name) =>
        name === 'seed.example.org'
          ? [[`dnsaddr=/ip4/192.0.2.1/tcp/9000/p2p/${PEER}`], ['v=spf1 -all']]
          : [
              ['dnsaddr=/dns4/a.example', '.org/tcp/9000'],
              ['dnsaddr=/ip4/192.0.2.1/udp/1/quic-v1'],
            ],
    });
    expect(await lookUp(parseDnsSeed('seed.example.org'), zone)).toEqual([
      `/ip4/192.0.2.1/tcp/9000/p2p/${PEER}`,
      '/dns4/a.example.org/tcp/9000',
      '/ip4/192.0.2.1/udp/1/quic-v1',
    ]);
  });

  it('with a port gives its hosts, and without one it does not', async () => {
    const zone = dns({
      resolve4: async () => ['192.0.2.1', 'not an address', '192.0.2.1'],
      resolve6: async () => ['2001:db8::1'],
    });
    expect(await lookUp(parseDnsSeed('seed.example.org:9000'), zone)).toEqual([
      '/ip4/192.0.2.1/tcp/9000',
      '/ip6/2001:db8::1/tcp/9000',
    ]);
    expect(await lookUp(parseDnsSeed('seed.example.org'), zone)).toEqual([]);
  });

  it('gives at most 64 addresses, and none that is out of shape', async () => {
    const many = Array.from({ length: 500 }, (_, i) => [`dnsaddr=/ip4/192.0.2.1/tcp/${i + 1}`]);
    const zone = dns({
      resolveTxt: async () => [['dnsaddr=tcp'], [`dnsaddr=/ip4/${'9'.repeat(300)}`], ...many],
    });
    const found = await lookUp(parseDnsSeed('seed.example.org'), zone);
    expect(found).toHaveLength(64);
    expect(found[0]).toBe('/ip4/192.0.2.1/tcp/1');
  });

  it('that nobody answers for gives none', async () => {
    expect(await lookUp(parseDnsSeed('seed.example.org:9000'), dns({}))).toEqual([]);
  });
});
