import { expect, it } from 'vitest';
import { abortConnection } from './abort-connection.ts';

/** As the library's: the muxer's goodbye fails once, and what is below it is cut afterwards. */
function closedByTheOtherSide() {
  let [goodbyes, cuts] = [0, 0];
  return {
    abort(): void {
      if (goodbyes++ === 0) throw new Error('Cannot write to a stream that is closed');
      cuts++;
    },
    cuts: () => cuts,
  };
}

it('cuts a connection that the other side has closed already, and does not throw', () => {
  const connection = closedByTheOtherSide();
  abortConnection(connection, 'banned');
  expect(connection.cuts()).toBe(1);
});

it('cuts an open connection once, with the reason', () => {
  const reasons: string[] = [];
  abortConnection({ abort: ({ message }) => reasons.push(message) }, 'banned');
  expect(reasons).toEqual(['banned']);
});
