/** Bytes and messages by kind over all links of a node, for its metrics. */
import { type MessageKind, messageKind } from '@pyde/core/consensus';

interface Count {
  bytes: number;
  messages: number;
}

export class LinkTraffic {
  readonly #in = new Map<MessageKind, Count>();
  readonly #out = new Map<MessageKind, Count>();

  received(message: Uint8Array): void {
    add(this.#in, message);
  }

  /** Given to one link's queue; what a full queue drops is counted there. */
  sent(message: Uint8Array): void {
    add(this.#out, message);
  }

  /** `link_in_vertex_bytes`, `link_out_vertex_messages` and so on. */
  metrics(): Record<string, number> {
    const flat: Record<string, number> = {};
    for (const [way, counts] of [
      ['in', this.#in],
      ['out', this.#out],
    ] as const) {
      for (const [kind, { bytes, messages }] of counts) {
        const name = `link_${way}_${kind.replaceAll('-', '_')}`;
        flat[`${name}_bytes`] = bytes;
        flat[`${name}_messages`] = messages;
      }
    }
    return flat;
  }
}

function add(counts: Map<MessageKind, Count>, message: Uint8Array): void {
  const kind = messageKind(message);
  if (kind === undefined) return;
  let count = counts.get(kind);
  if (count === undefined) {
    count = { bytes: 0, messages: 0 };
    counts.set(kind, count);
  }
  count.bytes += message.length;
  count.messages++;
}
