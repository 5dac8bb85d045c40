/**
 * Peers and traffic. What the network counts comes as flat figures; those that an operator watches
 * have names of their own here, and all others are one metric with their name as its label.
 */
import type { Registry } from 'prom-client';
import { readCounters, readGauge, readGauges } from './reading.ts';
import type { OperationSource } from './source.ts';

/** `link_in_vertex_bytes` and so on: direction, kind of message, unit. */
const TRAFFIC = /^link_(in|out)_(.+)_(bytes|messages)$/;
const QUEUE_BYTES = /^link_queue_(.+)_bytes$/;
const DROPPED = /^link_dropped_(.+)$/;
const BANNED = /^banned_(.+)$/;
const GOSSIP_BYTES_IN = 'gossip_bytes_in';
const LINKS = 'links_live';
const OWN = [TRAFFIC, QUEUE_BYTES, DROPPED, BANNED];
/** What the node itself counts, which is not of the network. */
const NETWORK =
  /^(link|gossip|request|banned|dial|connection|peer|network|stream|inbound|outbound)/;

/** @param figures of the node, flat */
export function addNetworkMetrics(
  registry: Registry,
  figures: OperationSource['metrics'],
  peers: OperationSource['peers'],
): void {
  const matching = (pattern: RegExp) => (): [string, number][] =>
    Object.entries(figures()).flatMap(([name, value]) => {
      const label = pattern.exec(name)?.[1];
      return label === undefined ? [] : [[label, value]];
    });
  readGauges(registry, 'pyde_peers', 'Connected peers, by kind', 'kind', () => {
    const all = peers();
    const validators = new Set(all.flatMap(({ validator }) => validator ?? []));
    const others = all.filter(({ validator }) => validator === undefined);
    return [
      ['validator', validators.size],
      ['inbound', others.filter(({ direction }) => direction === 'inbound').length],
      ['outbound', others.filter(({ direction }) => direction === 'outbound').length],
    ];
  });
  readGauges(registry, 'pyde_connections', 'Connections, by transport', 'transport', () =>
    countBy(peers().map(({ transport }) => transport)),
  );
  readGauge(registry, 'pyde_links', 'Proven links to validators', () => figures()[LINKS]);
  readGauges(registry, 'pyde_bans', 'Bans that hold, by what is banned', 'of', matching(BANNED));
  const traffic = (way: string, unit: string) => (): [string, number][] => {
    const found: [string, number][] = [];
    for (const [name, value] of Object.entries(figures())) {
      const [, at, type = '', in_] = TRAFFIC.exec(name) ?? [];
      if (at === way && in_ === unit) found.push([type, value]);
    }
    return found;
  };
  readCounters(
    registry,
    'pyde_received_bytes_total',
    'Bytes from validators and gossip, by type of message',
    'type',
    () => [...traffic('in', 'bytes')(), ['gossip', figures()[GOSSIP_BYTES_IN] ?? 0]],
  );
  readCounters(
    registry,
    'pyde_sent_bytes_total',
    'Bytes given to links, by type of message',
    'type',
    traffic('out', 'bytes'),
  );
  readCounters(
    registry,
    'pyde_received_messages_total',
    'Messages from validators, by type',
    'type',
    traffic('in', 'messages'),
  );
  readCounters(
    registry,
    'pyde_sent_messages_total',
    'Messages given to links, by type',
    'type',
    traffic('out', 'messages'),
  );
  readGauges(
    registry,
    'pyde_link_queue_bytes',
    'Bytes that wait in links, by class',
    'class',
    matching(QUEUE_BYTES),
  );
  readCounters(
    registry,
    'pyde_link_dropped_messages_total',
    'Messages that full queues of links let go, by class',
    'class',
    matching(DROPPED),
  );
  readGauges(
    registry,
    'pyde_network_figure',
    'Whatever else the network counts, by name',
    'name',
    () =>
      Object.entries(figures()).filter(
        ([name]) =>
          NETWORK.test(name) &&
          name !== LINKS &&
          name !== GOSSIP_BYTES_IN &&
          !OWN.some((pattern) => pattern.test(name)),
      ),
  );
}

function countBy(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
