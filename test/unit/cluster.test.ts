import fc from 'fast-check';
import { newestUsable, parsePostgresVersion } from '../../core/cluster/find-postgres';
import { parsePostmasterPid } from '../../core/cluster/postmaster-pid.pure';
import { startTicks } from '../../core/cluster/process-identity';
import { ancestors } from '../../core/cluster/server-directory';

describe('postmaster.pid', () => {
  const complete = ['4242', '/data', '1700000000', '5433', '/run', 'localhost', '  123 45', 'ready   ', ''];

  it('says which process serves which directory, and whether it is ready', () => {
    expect(parsePostmasterPid(complete.join('\n'))).toEqual({
      pid: 4242,
      dataDirectory: '/data',
      startedAt: 1_700_000_000,
      port: 5433,
      socketDirectory: '/run',
      status: 'ready',
    });
  });

  it('is not believed before its first four lines are there', () => {
    for (let lines = 0; lines < 4; lines++)
      expect(parsePostmasterPid(complete.slice(0, lines).join('\n'))).toBeUndefined();
    expect(parsePostmasterPid(complete.slice(0, 4).join('\n'))).toMatchObject({ status: undefined });
  });

  it('never fails, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = parsePostmasterPid(text);
        return parsed === undefined || Number.isInteger(parsed.pid);
      }),
    );
  });
});

describe('the programs of PostgreSQL', () => {
  it('are told apart by what they say of themselves', () => {
    expect(parsePostgresVersion('postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)')).toEqual({
      major: 15,
      version: '15.8',
    });
    expect(parsePostgresVersion('postgres (PostgreSQL) 19devel')).toEqual({ major: 19, version: '19devel' });
    expect(parsePostgresVersion('pg_ctl: command not found')).toBeUndefined();
  });

  it('are the newest that will do, and exactly the one that a backup needs', () => {
    const all = [14, 17, 15, 16].map((major) => ({ directory: `/${major}`, major, version: `${major}.1` }));
    expect(newestUsable(all)?.major).toBe(17);
    expect(newestUsable(all, 15)?.major).toBe(15);
    expect(newestUsable(all, 13)).toBeUndefined();
    expect(newestUsable(all.slice(0, 1))).toBeUndefined();
  });
});

describe('a process is known by its start', () => {
  it('even when its name looks like the rest of the line', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), (name, ticks) => {
        const after = ['S', ...Array.from({ length: 18 }, (_, index) => String(index)), String(ticks), '0'];
        expect(startTicks(`7 (${name}) ${after.join(' ')}\n`)).toBe(String(ticks));
      }),
    );
  });

  it('and one that only waits to be buried does not run', () => {
    expect(startTicks(`7 (postgres) Z ${Array(30).fill('1').join(' ')}`)).toBeUndefined();
  });
});

it('the way to a directory leads through all of its parents', () => {
  expect(ancestors('/a/b/c')).toEqual(['/', '/a', '/a/b']);
  expect(ancestors('/')).toEqual([]);
});
