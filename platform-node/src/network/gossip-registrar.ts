/**
 * What gossipsub sees of libp2p's registrar, for two reasons.
 *
 * It opens its streams to all peers one after the other, and waits for each: one peer that accepts
 * a stream and never negotiates it would keep everybody who comes later from being gossiped with.
 * Here the stream is opened first, for every peer by itself, and gossipsub is told of the peer when
 * it stands. And a stream that comes in is seen by us before gossipsub reads it; the library's own
 * middleware would do that, but its list of middleware grows by the handler with every stream.
 */
import type { GossipSubComponents } from '@libp2p/gossipsub';
import type { Connection, Stream } from '@libp2p/interface';
import { deadline } from './deadline.ts';

type Registrar = GossipSubComponents['registrar'];

/** Both sides are there, so that this is a round trip or two. */
const OPEN_TIMEOUT_MS = 5_000;

export function gossipRegistrar(
  inner: Registrar,
  protocols: string[],
  onStream: (stream: Stream, connection: Connection) => void,
): Registrar {
  const opening = new WeakMap<Connection, Promise<Stream | undefined>>();
  const open = (connection: Connection): Promise<Stream | undefined> => {
    const known = opening.get(connection);
    if (known !== undefined) return known;
    const opened = openedInTime(connection, protocols);
    opening.set(connection, opened);
    return opened;
  };
  return {
    getProtocols: () => inner.getProtocols(),
    getHandler: (protocol) => inner.getHandler(protocol),
    getMiddleware: (protocol) => inner.getMiddleware(protocol),
    getTopologies: (protocol) => inner.getTopologies(protocol),
    use: (protocol, middleware) => inner.use(protocol, middleware),
    unuse: (protocol) => inner.unuse(protocol),
    unhandle: (protocol, options) => inner.unhandle(protocol, options),
    unregister: (id) => inner.unregister(id),
    handle: (protocol, handler, options) =>
      inner.handle(
        protocol,
        (stream, connection) => {
          onStream(stream, connection);
          return handler(stream, withStream(connection, undefined));
        },
        options,
      ),
    register: (protocol, topology, options) =>
      inner.register(
        protocol,
        {
          ...topology,
          // Not awaited: the library tells one topology after the other.
          onConnect: (peerId, connection) => {
            void open(connection).then((stream) => {
              if (stream === undefined || connection.status !== 'open') return;
              return topology.onConnect?.(peerId, withStream(connection, stream));
            });
          },
        },
        options,
      ),
  };
}

async function openedInTime(
  connection: Connection,
  protocols: string[],
): Promise<Stream | undefined> {
  const limit = deadline(OPEN_TIMEOUT_MS, () => new Error('the peer does not negotiate'));
  try {
    return await connection.newStream(protocols, { signal: limit.signal });
  } catch {
    // It came to nothing: this peer hears no gossip from us, until it connects again.
    return undefined;
  } finally {
    limit.clear();
  }
}

/** The connection as gossipsub sees it: the only stream that it can open is the one that stands. */
function withStream(connection: Connection, stream: Stream | undefined): Connection {
  const newStream = async (): Promise<Stream> => {
    if (stream === undefined) throw new Error('the stream of this peer is opened elsewhere');
    return stream;
  };
  return new Proxy(connection, {
    get: (target, name) => {
      if (name === 'newStream') return newStream;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
