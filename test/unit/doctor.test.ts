import fc from 'fast-check';
import { judgeAttributes } from '../../client/cli/check-temporal';
import { type ArchiverState, judgeArchiver } from '../../core/doctor/check-archiving';
import { judgeStanza } from '../../core/doctor/check-backup';
import { compareMigrations } from '../../core/doctor/check-migrations';
import { isNewEnough } from '../../core/doctor/check-programs';
import { judgeRole, type RoleRights } from '../../core/doctor/check-role';
import { judgeSpace } from '../../core/doctor/check-scratch';

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
  const stanza = { name: 'app', cipher: 'aes-256-cbc', status: { code: 0, message: 'ok' }, backup: [backup] };
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

  it('warns of a repository that everybody can read', () => {
    expect(judge({ cipher: 'none' }).map(({ state }) => state)).toEqual(['ok', 'warning']);
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
