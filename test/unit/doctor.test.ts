import fc from 'fast-check';
import { judgeAttributes } from '../../client/cli/check-temporal';
import { type ArchiverState, judgeArchiver } from '../../core/doctor/check-archiving';
import { judgeStanza } from '../../core/doctor/check-backup';
import { compareMigrations } from '../../core/doctor/check-migrations';
import { isNewEnough } from '../../core/doctor/check-programs';
import { judgeRole, type RoleRights } from '../../core/doctor/check-role';
import { judgeSpace } from '../../core/doctor/check-scratch';
import { judgeAccess, judgeEncryption, repositoriesOf } from '../../core/doctor/repository-access.pure';

const healthy: ArchiverState = {
  archiveMode: 'on',
  archiveCommand: 'pgbackrest archive-push %p',
  archiveLibrary: '',
  walLevel: 'replica',
  commitTimestamps: 'on',
  checksums: 'on',
  archived: true,
  lastArchivedSecondsAgo: 3,
  failing: false,
  lastFailedWal: null,
};

describe('what doctor makes of the archiver', () => {
  it.each([
    [{}, ['ok']],
    [{ walLevel: 'minimal' }, ['broken']],
    [{ archiveMode: 'off' }, ['broken']],
    [{ archiveCommand: '' }, ['broken']],
    [{ archiveCommand: '', archiveLibrary: 'basic_archive' }, ['ok']],
    [{ failing: true, lastFailedWal: '000000010000000000000007' }, ['broken']],
    [{ archived: false }, ['warning']],
    [{ commitTimestamps: 'off', checksums: 'off' }, ['ok', 'warning', 'warning']],
  ] satisfies [Partial<ArchiverState>, string[]][])('%j is %j', (change, states) => {
    expect(judgeArchiver({ ...healthy, ...change }).map(({ state }) => state)).toEqual(states);
  });
});

describe('what doctor makes of the repository', () => {
  const config = {
    provider: 'pgbackrest',
    stanza: 'app',
    configFile: '/c',
    binary: 'pgbackrest',
    scratchDirectory: '/s',
    scratchSettings: {},
  } as const;
  const backup = { label: '20260101-000000F', error: false, timestamp: { stop: 1_000 } };
  const stanza = { name: 'app', status: { code: 0, message: 'ok' }, backup: [backup] };
  const judge = (change: object) => judgeStanza(config, { ...stanza, ...change }, 8_200_000);

  it('is content with a backup, and says how old it is', () => {
    expect(judge({})).toEqual([
      { name: 'backup repository', state: 'ok', detail: '1 backups, latest 20260101-000000F (2 h ago)' },
    ]);
  });

  it('asks for a backup where there is none but a failed one, and for the stanza otherwise', () => {
    expect(judge({ backup: [{ ...backup, error: true }] })[0]?.fix).toMatch(/--type=full backup$/);
    expect(judge({ status: { code: 2, message: 'no valid backups' }, backup: [] })[0]?.fix).toMatch(
      /backup$/,
    );
    expect(judge({ status: { code: 3, message: 'missing stanza data' } })[0]?.fix).toMatch(/stanza-create$/);
    expect(judgeStanza(config, undefined, 0)[0]?.fix).toMatch(/stanza-create$/);
  });
});

describe('what doctor makes of who may restore', () => {
  const CONFIGURATION = `[global]
repo1-path=/var/lib/backups
repo1-cipher-type = aes-256-cbc
repo1-cipher-pass=secret
repo2-type=s3
repo2-cipher-type=aes-256-cbc
[app]
pg1-path=/data
`;
  const place = (path: string, mode: number) => ({ path, owner: 'postgres', group: 'postgres', mode });
  const judge = (config: number, repository: number, text = CONFIGURATION) =>
    judgeAccess(repositoriesOf(text), place('/c', config), new Map([['repo1', place('/r', repository)]]));

  it('reads repositories from the configuration, without their passphrases', () => {
    const repositories = repositoriesOf(CONFIGURATION);
    expect(
      repositories.map(({ name, type, cipher, passphraseHere }) => [name, type, cipher, passphraseHere]),
    ).toEqual([
      ['repo1', 'posix', 'aes-256-cbc', true],
      ['repo2', 's3', 'aes-256-cbc', false],
    ]);
    expect(JSON.stringify(repositories)).not.toContain('secret');
    expect(judgeEncryption(repositories).map(({ state }) => state)).toEqual(['ok', 'ok']);
    expect(repositoriesOf('')).toEqual([]);
  });

  it('warns of a repository that is not encrypted', () => {
    const [finding] = judgeEncryption(repositoriesOf('repo1-path=/r'));
    expect(finding).toMatchObject({ state: 'warning', detail: expect.stringContaining('every tenant') });
  });

  it('names who can, where it is not everybody', () => {
    expect(judge(0o640, 0o750)).toMatchObject([
      {
        state: 'ok',
        detail:
          'root and who reads /c: postgres and group postgres; /r: postgres and group postgres; repo2: s3',
      },
    ]);
    expect(judge(0o600, 0o700)[0]?.detail).toContain('/c: postgres; /r: postgres;');
  });

  it('warns when it is everybody: by the passphrase, by plain backups, or by changing them', () => {
    expect(judge(0o644, 0o750)).toMatchObject([
      { state: 'warning', detail: expect.stringContaining('passphrase') },
    ]);
    expect(judge(0o642, 0o750)).toMatchObject([
      { state: 'warning', detail: expect.stringContaining('change /c') },
    ]);
    // Encrypted: who reads the files alone reads nothing.
    expect(judge(0o640, 0o755)).toMatchObject([{ state: 'ok' }]);
    expect(judge(0o640, 0o752)).toMatchObject([
      { state: 'warning', detail: expect.stringContaining('change the') },
    ]);
    expect(judge(0o644, 0o755, 'repo1-path=/r')).toMatchObject([
      { state: 'warning', detail: expect.stringContaining('read the backups in /r') },
    ]);
  });

  it('warns exactly when somebody else gets in, whatever the modes are', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0o777 }),
        fc.integer({ min: 0, max: 0o777 }),
        (config, repository) => {
          const open = (config & 0o006) !== 0 || (repository & 0o002) !== 0;
          expect(judge(config, repository).some(({ state }) => state === 'warning')).toBe(open);
        },
      ),
    );
  });
});

describe('what doctor makes of the role', () => {
  const least: RoleRights = {
    role: 'chronawflow',
    superuser: false,
    bypassRls: false,
    replicaRole: true,
    switchWal: true,
    restorePoint: true,
    monitor: true,
    ownsSchema: true,
    tablesWithoutRights: [],
    tablesWithRowSecurity: [],
  };

  it('is content with exactly the rights of application-role.sql', () => {
    expect(judgeRole(least)).toEqual([expect.objectContaining({ state: 'ok' })]);
  });

  it('is broken whenever any one of them is missing, and says which', () => {
    const rights = ['replicaRole', 'switchWal', 'restorePoint', 'monitor', 'ownsSchema'] as const;
    fc.assert(
      fc.property(fc.subarray([...rights], { minLength: 1 }), (missing) => {
        const changed = { ...least, ...Object.fromEntries(missing.map((right) => [right, false])) };
        const [finding] = judgeRole(changed);
        expect(finding?.state).toBe('broken');
        expect(finding?.detail.split('; ')).toHaveLength(missing.length);
      }),
    );
  });

  it('does not list a thousand tables', () => {
    const tables = Array.from({ length: 1000 }, (_, index) => `public.t${index}`);
    expect(judgeRole({ ...least, tablesWithoutRights: tables })[0]?.detail).toMatch(
      /public\.t4 and 995 more$/,
    );
  });
});

it('doctor knows which Node.js will do', () => {
  expect(['20.18.3', '18.20.0', '20.19.0', '22.0.0'].map(isNewEnough)).toEqual([false, false, true, true]);
});

it('doctor wants room for the cluster and a fifth more', () => {
  expect(judgeSpace('/s', 1_200, 1_000).state).toBe('ok');
  expect(judgeSpace('/s', 1_199, 1_000).state).toBe('broken');
});

it('doctor names migrations that are missing, and those of a newer release', () => {
  expect(compareMigrations('platform', ['1.sql', '2.sql'], ['1.sql'])).toMatchObject({
    state: 'broken',
    detail: 'not applied: 2.sql',
  });
  expect(compareMigrations('platform', ['1.sql'], ['1.sql', '2.sql'])).toMatchObject({ state: 'warning' });
});

it('doctor gives one command for all search attributes that are missing', () => {
  expect(judgeAttributes({ TenantId: 2, Capability: 2, Phase: 1 })).toMatchObject({
    state: 'broken',
    fix: 'temporal operator search-attribute create --name Phase --type Keyword --name Outcome --type Keyword',
  });
});
