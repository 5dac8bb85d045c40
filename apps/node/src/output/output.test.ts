import { PydeError } from '@pyde/core/bytes';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EXIT, Output, printable, table, toFailure } from './index.ts';

function outputTo(isJson: boolean, isTTY: boolean) {
  const written: string[] = [];
  const stream = { isTTY, write: (text: string) => written.push(text) };
  return { output: new Output(isJson, stream, stream), written };
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('what pyde prints', () => {
  it('is lines for people, and one JSON value with --json', () => {
    const people = outputTo(false, false);
    people.output.answer({ a: 1n }, () => ['one', 'two']);
    people.output.event('up', { b: 2 }, 'it is up');
    people.output.event('silent', {});
    expect(people.written.join('')).toBe('one\ntwo\nit is up\n');
    const machine = outputTo(true, true);
    machine.output.answer({ a: 1n }, () => ['one']);
    machine.output.event('up', { b: 2 }, 'it is up');
    machine.output.progress('nothing of it');
    expect(machine.written.join('')).toBe('{"a":"1"}\n{"event":"up","b":2}\n');
  });

  it('has colour and progress on a terminal alone', () => {
    vi.stubEnv('NO_COLOR', '');
    const [terminal, pipe] = [outputTo(false, true), outputTo(false, false)];
    for (const { output } of [terminal, pipe]) {
      output.progress('half');
      output.error('some.code', 'it failed', undefined);
    }
    expect(terminal.written.join('')).toContain('\x1b[31m');
    expect(terminal.written.join('')).toContain('\r\x1b[Khalf');
    expect(pipe.written.join('')).toBe('pyde [ERROR] some.code: it failed\n');
  });

  it('steers no terminal with what others wrote', () => {
    expect(printable('a\x1b[2Jb\nc\r')).toBe('a\ufffd[2Jb\nc\ufffd');
  });

  it('stands in columns', () => {
    expect(
      table([
        ['a', 'bb'],
        ['ccc', 'd', 'e'],
      ]),
    ).toEqual(['a    bb', 'ccc  d   e']);
    expect(table([])).toEqual([]);
  });
});

describe('the exit code', () => {
  it.each([
    ['rpc.unreachable', EXIT.resource],
    ['store.locked', EXIT.resource],
    ['network.key-live', EXIT.resource],
    ['server.port-taken', EXIT.resource],
    ['keys.missing', EXIT.resource],
    ['rpc.url', EXIT.validation],
    ['node.no-seat', EXIT.validation],
    ['config.value', EXIT.validation],
    ['keys.password', EXIT.validation],
    ['contribution.signature', EXIT.validation],
    ['localnet.options', EXIT.validation],
  ])('of %s is %i', (code, exitCode) => {
    expect(toFailure(new PydeError(code, 'why'))).toMatchObject({ code, message: 'why', exitCode });
  });

  it('tells errors of the system and defects apart', () => {
    const system = Object.assign(new Error('no space'), { code: 'ENOSPC', syscall: 'write' });
    expect(toFailure(system)).toMatchObject({ code: 'ENOSPC', exitCode: EXIT.resource });
    expect(toFailure(new TypeError('x'))).toMatchObject({
      code: 'pyde.internal',
      exitCode: EXIT.internal,
    });
  });
});
