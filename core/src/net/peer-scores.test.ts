import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OFFENCE_POINTS, type Offence } from './offence.ts';
import { DEFAULT_SCORE_RULES, PeerScores } from './peer-scores.ts';
import { peerIdOf } from './testing.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const mallory = peerIdOf(1);
const ADDRESS = '192.0.2.1';
const LOOPBACK = '127.0.0.1';

/** Reports until the peer is banned; how often that took. */
function ban(scores: PeerScores, peerId: string, nowMs: number, address?: string): number {
  for (let i = 1; i <= 200; i++) {
    if (scores.report(peerId, 'bad-signature', nowMs, address) === 'banned') return i;
  }
  throw new Error('never banned');
}
const banLeft = (scores: PeerScores, peerId: string, nowMs: number): number =>
  scores.bans(nowMs).peers.find(({ name }) => name === peerId)?.remainingMs ?? 0;

describe('scores', () => {
  it('throttle, disconnect and ban as they grow', () => {
    const scores = new PeerScores();
    const standings = Array.from({ length: 10 }, () => scores.report(mallory, 'truncated', 0));
    expect(standings).toEqual([
      'good',
      'good',
      'throttle',
      'throttle',
      'throttle',
      'disconnect',
      'disconnect',
      'disconnect',
      'disconnect',
      'banned',
    ]);
    expect(scores.isRefused(mallory, 0)).toBe(true);
    expect(scores.isRefused(peerIdOf(2), 0)).toBe(false);
  });

  it('halve in every half-life', () => {
    const scores = new PeerScores();
    scores.report(mallory, 'oversized-frame', 0);
    const at = (halfLives: number) =>
      scores.scoreOf(mallory, halfLives * DEFAULT_SCORE_RULES.halfLifeMs);
    expect([at(0), at(1), at(2), at(3)]).toEqual([50, 25, 12, 6]);
    expect(at(40)).toBe(0);
  });

  it('never grow by time, whenever they are looked at', () => {
    const offences = Object.keys(OFFENCE_POINTS) as Offence[];
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...offences), fc.integer({ min: 0, max: 3 * HOUR }))),
        (reports) => {
          const scores = new PeerScores({ banAt: 1_000_000 });
          let nowMs = 0;
          let points = 0;
          for (const [offence, pause] of reports) {
            nowMs += pause;
            const before = scores.scoreOf(mallory, nowMs);
            scores.report(mallory, offence, nowMs);
            points += OFFENCE_POINTS[offence];
            const after = scores.scoreOf(mallory, nowMs);
            // Thousandths below a point may have added up.
            expect(after - before - OFFENCE_POINTS[offence]).toBeGreaterThanOrEqual(0);
            expect(after - before - OFFENCE_POINTS[offence]).toBeLessThanOrEqual(1);
            expect(after).toBeLessThanOrEqual(points);
            expect(scores.scoreOf(mallory, nowMs + 1)).toBeLessThanOrEqual(after);
          }
        },
      ),
    );
  });

  it('do not ban one that is merely slow now and then', () => {
    const scores = new PeerScores();
    for (let i = 0; i < 200; i++) {
      expect(scores.report(mallory, 'slow-answer', i * 2 * MINUTE)).not.toBe('banned');
    }
  });
});

describe('bans', () => {
  it('end, and begin anew with nothing against the peer', () => {
    const scores = new PeerScores();
    ban(scores, mallory, 0);
    expect(scores.standing(mallory, 10 * MINUTE - 1)).toBe('banned');
    expect(scores.standing(mallory, 10 * MINUTE)).toBe('good');
  });

  it('double with every further one, up to a day', () => {
    const scores = new PeerScores();
    let nowMs = 0;
    const minutes: number[] = [];
    for (let i = 0; i < 10; i++) {
      ban(scores, mallory, nowMs);
      const left = banLeft(scores, mallory, nowMs);
      minutes.push(left / MINUTE);
      nowMs += left;
    }
    expect(minutes).toEqual([10, 20, 40, 80, 160, 320, 640, 1_280, 1_440, 1_440]);
  });

  it('begin small again after a day without one', () => {
    const scores = new PeerScores();
    ban(scores, mallory, 0);
    const later = 10 * MINUTE + DAY;
    ban(scores, mallory, later);
    expect(banLeft(scores, mallory, later)).toBe(10 * MINUTE);
  });

  it('do not grow by what is reported while they last', () => {
    const scores = new PeerScores();
    ban(scores, mallory, 0);
    for (let i = 0; i < 50; i++) scores.report(mallory, 'bad-signature', i);
    expect(banLeft(scores, mallory, 50)).toBe(10 * MINUTE - 50);
  });

  it('are lifted by an operator', () => {
    const scores = new PeerScores();
    ban(scores, mallory, 0);
    scores.pardon(mallory);
    expect(scores.isRefused(mallory, 1)).toBe(false);
  });
});

describe('bans of hosts', () => {
  it('follow only when several ids of one were banned', () => {
    const scores = new PeerScores();
    for (const i of [1, 2]) ban(scores, peerIdOf(i), 0, ADDRESS);
    ban(scores, peerIdOf(1), 10 * MINUTE, ADDRESS);
    expect(scores.isHostBanned(ADDRESS, 10 * MINUTE)).toBe(false);
    ban(scores, peerIdOf(3), 10 * MINUTE, `::ffff:${ADDRESS}`);
    expect(scores.isHostBanned(ADDRESS, 10 * MINUTE)).toBe(true);
    expect(scores.isRefused(peerIdOf(9), 10 * MINUTE, ADDRESS)).toBe(true);
    expect(scores.isRefused(peerIdOf(9), 10 * MINUTE, '192.0.2.2')).toBe(false);
    expect(scores.isHostBanned(ADDRESS, 20 * MINUTE)).toBe(false);
  });

  it('follow for much that came without an id', () => {
    const scores = new PeerScores();
    let reports = 1;
    while (!scores.reportHost(ADDRESS, 'slow-loris', 0)) reports++;
    expect(reports).toBe(12);
    expect(scores.bans(0).hosts).toEqual([{ name: ADDRESS, remainingMs: 10 * MINUTE, times: 1 }]);
  });

  it('spare loopback unless a test wants them', () => {
    const spared = new PeerScores();
    const hard = new PeerScores({ banLoopback: true });
    for (const scores of [spared, hard]) {
      for (const i of [1, 2, 3]) ban(scores, peerIdOf(i), 0, LOOPBACK);
      for (let i = 0; i < 50; i++) scores.reportHost('::1', 'slow-loris', 0);
    }
    expect([LOOPBACK, '::1'].map((a) => spared.isHostBanned(a, 1))).toEqual([false, false]);
    expect([LOOPBACK, '::1'].map((a) => hard.isHostBanned(a, 1))).toEqual([true, true]);
    expect(spared.isRefused(peerIdOf(1), 1, LOOPBACK)).toBe(true);
  });

  it('never reach a validator for what others at its address did', () => {
    const scores = new PeerScores();
    const validator = peerIdOf(50);
    scores.proven(validator);
    for (const i of [1, 2, 3]) ban(scores, peerIdOf(i), 0, ADDRESS);
    for (let i = 0; i < 50; i++) scores.reportHost(ADDRESS, 'bad-frame', 0);
    expect(scores.isHostBanned(ADDRESS, 1)).toBe(true);
    expect(scores.isRefused(validator, 1, ADDRESS)).toBe(false);
  });

  it('do not come from what a validator did, whose own bans stay short', () => {
    const scores = new PeerScores();
    let nowMs = 0;
    for (const i of [1, 2, 3]) {
      scores.proven(peerIdOf(i));
      ban(scores, peerIdOf(i), 0, ADDRESS);
    }
    expect(scores.isHostBanned(ADDRESS, 0)).toBe(false);
    for (let i = 0; i < 8; i++) {
      nowMs += 10 * MINUTE;
      ban(scores, peerIdOf(1), nowMs, ADDRESS);
      expect(banLeft(scores, peerIdOf(1), nowMs)).toBe(10 * MINUTE);
    }
  });

  it('take no notice of what is no address', () => {
    const scores = new PeerScores();
    expect(scores.reportHost('nowhere', 'slow-loris', 0)).toBe(false);
    expect(scores.isHostBanned('nowhere', 0)).toBe(false);
    for (const i of [1, 2, 3]) ban(scores, peerIdOf(i), 0, 'nowhere');
  });
});

describe('scores across restarts', () => {
  it('go on with what was left of them', () => {
    const before = new PeerScores();
    ban(before, mallory, 1_000_000);
    before.report(peerIdOf(2), 'oversized-frame', 1_000_000);
    for (let i = 0; i < 12; i++) before.reportHost(ADDRESS, 'slow-loris', 1_000_000);
    const bytes = before.encode(1_000_000 + 4 * MINUTE);
    const after = new PeerScores();
    after.restore(bytes, 77);
    expect(after.bans(77)).toEqual({
      peers: [{ name: mallory, remainingMs: 6 * MINUTE, times: 1 }],
      hosts: [{ name: ADDRESS, remainingMs: 6 * MINUTE, times: 1 }],
    });
    expect(after.scoreOf(peerIdOf(2), 77)).toBe(40);
    expect(after.encode(77)).toEqual(bytes);
    ban(after, mallory, 77 + 6 * MINUTE);
    expect(banLeft(after, mallory, 77 + 6 * MINUTE)).toBe(20 * MINUTE);
  });

  it('let no file ban longer than the rules do', () => {
    const long = new PeerScores({ firstBanMs: 20 * DAY, longestBanMs: 30 * DAY });
    ban(long, mallory, 0);
    const scores = new PeerScores();
    scores.restore(long.encode(0), 0);
    expect(banLeft(scores, mallory, 0)).toBe(DAY);
  });

  it('stay within their tables, and keep bans while a crowd of names comes', () => {
    const scores = new PeerScores();
    ban(scores, mallory, 0);
    for (let i = 0; i < 5_000; i++) scores.report(peerIdOf(i + 10), 'truncated', 1);
    expect(scores.standing(mallory, 1)).toBe('banned');
    expect(scores.scoreOf(peerIdOf(10), 1)).toBe(0);
    expect(scores.scoreOf(peerIdOf(5_009), 1)).toBe(10);
  });
});
