import { ManualClock } from '@pyde/core/platform';
import { describe, expect, it } from 'vitest';
import type { Hindrance } from './readiness.ts';
import { ReadyLog } from './ready-log.ts';

const STALE: Hindrance = { code: 'stale', message: 'the newest wave is 12 s old' };
const LINKS: Hindrance = { code: 'links', message: 'there are links to 1 other validators' };

function subject() {
  const clock = new ManualClock(1_700_000_000_000);
  const lines: string[] = [];
  const line =
    (level: string) =>
    (message: string, fields: object = {}): void => {
      lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    };
  const logger = {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
  };
  return { clock, lines, log: new ReadyLog(logger, clock) };
}

describe('the log of a node', () => {
  it('says nothing while the node is ready', () => {
    const { clock, lines, log } = subject();
    for (let i = 0; i < 100; i++) {
      log.look([]);
      clock.advance(5_000);
    }
    expect(lines).toEqual([]);
  });

  it('says why it is not ready, again every minute, and when that is over', () => {
    const { clock, lines, log } = subject();
    for (let i = 0; i < 25; i++) {
      log.look([STALE]);
      clock.advance(5_000);
    }
    log.look([]);
    log.look([]);
    const reasons = '"codes":"stale","reasons":"the newest wave is 12 s old"';
    expect(lines).toEqual([
      `warn the node is not ready {${reasons},"since_s":0}`,
      `warn the node is not ready {${reasons},"since_s":60}`,
      `warn the node is not ready {${reasons},"since_s":120}`,
      'info ready again {"after_s":125}',
    ]);
  });

  it('says at once what else came, and what remains', () => {
    const { clock, lines, log } = subject();
    log.look([STALE]);
    clock.advance(5_000);
    log.look([STALE, LINKS]);
    clock.advance(5_000);
    log.look([LINKS]);
    expect(lines.map((text) => /"codes":"([^"]*)"/.exec(text)?.[1])).toEqual([
      'stale',
      'stale, links',
      'links',
    ]);
  });
});
