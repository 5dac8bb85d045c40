/**
 * Multiaddrs as text. Core only holds them against a size and an alphabet, so that they can be
 * logged, stored and compared; what they mean is libp2p's, which parses them before it dials.
 */
import { netError } from './error.ts';

export const MAX_MULTIADDR_BYTES = 256;

/** Parts of visible ASCII after slashes, none empty. */
const SHAPE = /^(?:\/[!-.0-~]+){2,}$/;
const PEER_SUFFIX = /\/p2p\/([1-9A-HJ-NP-Za-km-z]+)$/;

export const isMultiaddr = (text: string): boolean =>
  text.length <= MAX_MULTIADDR_BYTES && SHAPE.test(text);

/** The text itself. @throws PydeError `net.address` */
export function checkMultiaddr(text: string): string {
  if (isMultiaddr(text)) return text;
  throw netError(
    'net.address',
    `a multiaddr looks like /ip4/192.0.2.1/tcp/9000, with at most ${MAX_MULTIADDR_BYTES} bytes`,
    { length: text.length },
  );
}

/** The peer id at its end, if there is one: of /…/p2p-circuit/p2p/X it is X. */
export const peerIdOfMultiaddr = (multiaddr: string): string | undefined =>
  PEER_SUFFIX.exec(multiaddr)?.[1];
