/**
 * What a peer can do wrong, and what each costs (docs/protocol/network.md, "Scores"). 100 points
 * end in a ban; what a slow or overloaded honest peer can do costs little.
 */

export const OFFENCE_POINTS = {
  /** A length above the table's, before anything was allocated. */
  'oversized-frame': 50,
  /** Shape, kind or order of a frame. */
  'bad-frame': 34,
  /** A signature that the named key did not make. */
  'bad-signature': 50,
  /** An answer that its proof refutes. */
  'wrong-answer': 34,
  /** No answer in time, or one too late. */
  'slow-answer': 4,
  /** An answer or frame that nobody asked for. */
  unasked: 20,
  /** A question, message, stream or nameless connection above its rate. */
  flood: 2,
  /** Gossip that its topic's validator refused. */
  'bad-gossip': 20,
  /** A connection that ended before its encryption named a peer; of the host. */
  'nameless-connection': 4,
  /** A handshake that ended in a refusal or in nothing. */
  'failed-handshake': 10,
  /** A handshake made of another one's bytes. */
  'replayed-handshake': 50,
  /** Bytes that come too slowly to be meant. */
  'slow-loris': 25,
  /** A peer record that does not verify, or addresses that are none. */
  'bad-record': 20,
  /** A stream that was cut within a frame or an answer. */
  truncated: 10,
  /** More streams at once than are let. */
  'stream-exhaustion': 10,
} as const satisfies Readonly<Record<string, number>>;

export type Offence = keyof typeof OFFENCE_POINTS;
