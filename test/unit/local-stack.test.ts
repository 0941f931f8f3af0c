import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { needsOtherSocketDirectory, stackLayout } from '../../core/local-stack/layout.pure';
import { archiveCommand, pgBackRestConfig } from '../../core/local-stack/pgbackrest-config.pure';

describe('archive_command', () => {
  /** What PostgreSQL does with it before the shell sees it: %p and %% are replaced. */
  const asServer = (command: string) =>
    command.replaceAll(/%[p%]/g, (found) => (found === '%p' ? 'pg_wal/000000010000000000000001' : '%'));

  it('reaches pgBackRest as it is meant, whatever is in a path', () => {
    const path = fc.string({ minLength: 1, maxLength: 30 }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(path, path, (configFile, stanza) => {
        const command = asServer(archiveCommand('/usr/bin/printf', configFile, stanza));
        // Stands for pgBackRest: shows its arguments, each ended by a NUL.
        const shown = command.replace("'/usr/bin/printf'", `printf '%s\\0'`);
        const args = execFileSync('sh', ['-c', shown]).toString().split('\0').slice(0, -1);
        expect(args).toEqual([
          `--config=${configFile}`,
          `--stanza=${stanza}`,
          'archive-push',
          'pg_wal/000000010000000000000001',
        ]);
      }),
      { numRuns: 50 },
    );
  });
});

it('the repository is encrypted, and its stanza names the server', () => {
  const config = pgBackRestConfig({
    stanza: 'app',
    repository: '/r',
    logs: '/l',
    locks: '/k',
    spool: '/s',
    cipherPass: 'pass',
    dataDirectory: '/d',
    socketDirectory: '/run',
    port: 5433,
  });
  expect(config).toContain('repo1-cipher-type=aes-256-cbc\nrepo1-cipher-pass=pass\n');
  expect(config).toMatch(/\[app\]\npg1-path=\/d\npg1-socket-path=\/run\npg1-port=5433\npg1-user=postgres\n$/);
});

describe('the places of a stack', () => {
  it('are all inside its home, as long as the kernel takes the path of its sockets', () => {
    const layout = stackLayout('/home/me/app/.chronawflow', '/home/me/app/.chronawflow/servers', undefined);
    expect(layout.socketDirectory).toBe('/home/me/app/.chronawflow/servers/run');
    expect(needsOtherSocketDirectory(layout.servers)).toBe(false);
    expect(needsOtherSocketDirectory(`/${'x'.repeat(90)}`)).toBe(true);
  });

  it('leave room for the longest socket name within 107 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 120 }), (name) => {
        const servers = `/${name.replaceAll(/[/\0]/g, '_')}`;
        if (needsOtherSocketDirectory(servers)) return;
        const socket = `${stackLayout('/home', servers, undefined).socketDirectory}/.s.PGSQL.65535`;
        expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(107);
      }),
    );
  });
});
