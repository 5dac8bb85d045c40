/** The end of a connection at once, whatever state it is in. */
import type { Connection } from '@libp2p/interface';

/**
 * Never throws. The library's muxer says goodbye before what is below it is cut, and throws when the
 * other side has closed that already: then nothing below would be cut, and whoever misbehaves last
 * could end the node.
 */
export function abortConnection(connection: Pick<Connection, 'abort'>, reason: string): void {
  const error = new Error(reason);
  // Asked a second time the muxer has nothing to say any more, and what is below it is cut.
  for (let tries = 0; tries < 2; tries++) {
    try {
      connection.abort(error);
      return;
    } catch {
      // It is closed.
    }
  }
}
