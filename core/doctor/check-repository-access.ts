import { readFile, stat } from 'node:fs/promises';
import type { BackupConfig } from '../../config';
import { hasCode } from '../errors';
import { type Check, skipped, warning } from './finding';
import { judgeAccess, judgeEncryption, type Place, repositoriesOf } from './repository-access.pure';

const NAME = 'who may restore';

/** Whether backups are encrypted, and who on this host can read them and their passphrase. */
export function checkRepositoryAccess({ configFile }: BackupConfig): Check {
  return {
    name: NAME,
    fallbackFix: 'Name pgBackRest’s configuration in application.backup.configFile.',
    look: async () => {
      let text: string;
      try {
        text = await readFile(configFile, 'utf8');
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return [skipped(NAME, `there is no ${configFile}`)];
        if (!hasCode(error, 'EACCES')) throw error;
        // As it should be for whoever is not the server's user.
        return [
          warning(
            NAME,
            `this user cannot read ${configFile}`,
            'Run the doctor as the server’s user, or as root.',
          ),
        ];
      }
      const repositories = repositoriesOf(text);
      const names = await Promise.all([namesIn('/etc/passwd'), namesIn('/etc/group')]);
      const at = new Map<string, Place>();
      for (const { name, type, path } of repositories) {
        const place = type === 'posix' ? await placeOf(path, names) : undefined;
        if (place !== undefined) at.set(name, place);
      }
      const config = await placeOf(configFile, names);
      return [
        ...judgeEncryption(repositories),
        ...(config === undefined ? [] : judgeAccess(repositories, config, at)),
      ];
    },
  };
}

type Names = ReadonlyMap<number, string>;

async function placeOf(path: string, [users, groups]: readonly [Names, Names]): Promise<Place | undefined> {
  try {
    const { uid, gid, mode } = await stat(path);
    return {
      path,
      owner: users.get(uid) ?? String(uid),
      group: groups.get(gid) ?? String(gid),
      mode: mode & 0o777,
    };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Of users and groups of this host; those of a directory service stay numbers. */
async function namesIn(file: string): Promise<Names> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  return new Map(lines.map((line) => line.split(':')).map(([name = '', , id]) => [Number(id), name]));
}
