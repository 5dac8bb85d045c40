import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type LogOptions, openLog } from './index.ts';
import { MAX_VALUE_CHARS } from './log-fields.ts';

const place = mkdtempSync(join(tmpdir(), 'pyde-log-'));
let files = 0;
afterAll(() => rmSync(place, { recursive: true, force: true }));

async function open(options: Partial<LogOptions> = {}) {
  const file = join(place, 'logs', `${files++}.log`);
  const log = await openLog({ level: 'info', format: 'json', file, ...options });
  const lines = (at = file): Record<string, unknown>[] =>
    readFileSync(at, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  return { ...log, file, lines };
}

describe('openLog', () => {
  it('writes one JSON object a line: time, level, fields and message', async () => {
    const { logger, close, lines } = await open();
    logger.info('wave', { wave: 12n, gas: 2n ** 60n, root: '0xab', ok: true, nothing: null });
    logger.error('the node cannot go on');
    await close();
    const [first, second] = lines();
    expect(first).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      msg: 'wave',
      wave: 12,
      gas: '1152921504606846976',
      root: '0xab',
      ok: true,
      nothing: null,
    });
    expect(second).toMatchObject({ level: 'error', msg: 'the node cannot go on' });
  });

  it('leaves out what is below the level', async () => {
    const { logger, close, lines } = await open({ level: 'warn' });
    logger.debug('a');
    logger.info('b');
    logger.warn('c');
    await close();
    expect(lines().map(({ msg }) => msg)).toEqual(['c']);
  });

  it('writes nothing that is named like a secret, and no value beyond a line', async () => {
    const { logger, close, file, lines } = await open();
    const secrets = {
      password: 'hunter2',
      secretKey: 'hunter2',
      private_key: 'hunter2',
      keyPassphrase: 'hunter2',
      seed: 'hunter2',
      mnemonic: 'hunter2',
    };
    logger.warn('bad key file', { ...secrets, seeds: 3, public_key: '0x09' });
    logger.warn('long', { bytes: 'x'.repeat(3 * MAX_VALUE_CHARS) });
    await close();
    expect(readFileSync(file, 'utf8')).not.toContain('hunter2');
    const [first, second] = lines();
    expect(first).toMatchObject({ seeds: 3, public_key: '0x09', password: '(not logged)' });
    expect(String(second?.['bytes'])).toHaveLength(MAX_VALUE_CHARS + 1);
  });

  it('bounds a warning that repeats, and tells how often it came', async () => {
    const { logger, close, lines } = await open();
    for (let i = 0; i < 1_000; i++) logger.warn('a peer sends nonsense', { peer: i });
    logger.warn('another');
    await close();
    const repeated = lines().filter(({ msg }) => msg === 'a peer sends nonsense');
    expect(repeated).toHaveLength(11);
    expect(repeated.at(-1)).toMatchObject({ peer: 999, repeated: 990 });
    expect(lines().filter(({ msg }) => msg === 'another')).toHaveLength(1);
  });

  it('goes on in a new file after SIGHUP, once the old one was moved', async () => {
    const { logger, close, file, lines } = await open();
    logger.info('before');
    await expect.poll(() => readFileSync(file, 'utf8')).toContain('before');
    renameSync(file, `${file}.1`);
    process.kill(process.pid, 'SIGHUP');
    await expect.poll(() => readFileSync(file, { encoding: 'utf8', flag: 'a+' })).toBe('');
    await expect
      .poll(() => {
        logger.info('after');
        return readFileSync(file, 'utf8');
      })
      .toContain('after');
    await close();
    expect(lines(`${file}.1`)[0]).toMatchObject({ msg: 'before' });
    expect(process.listenerCount('SIGHUP')).toBe(0);
  });

  it('says which file it cannot write', async () => {
    writeFileSync(join(place, 'file'), '');
    const file = join(place, 'file', 'node.log');
    await expect(openLog({ level: 'info', file })).rejects.toMatchObject({
      code: 'log.file',
      details: { file },
    });
  });

  it('writes readable lines when asked to, and none can steer a terminal', async () => {
    const { logger, close, file } = await open({ format: 'pretty' });
    logger.info('peer', { peer: 3, agent: 'x\u001b[2J\nfake line', addr: '/ip4/1.2.3.4/tcp/1' });
    await close();
    const [line, rest] = readFileSync(file, 'utf8').split('\n');
    expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info {2}peer peer=3 agent="x/);
    expect(line).toContain('addr=/ip4/1.2.3.4/tcp/1');
    expect(line).not.toContain('\u001b');
    expect(rest).toBe('');
  });
});
