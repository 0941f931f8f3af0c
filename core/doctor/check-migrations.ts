import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import type { Plane } from '../../database';
import { broken, type Check, ok, warning } from './finding';
import { packageDatabaseDirectory } from './package-database-directory';

const FIX: Readonly<Record<Plane, string>> = {
  application: 'Run `chronawflow prepare`, or start the worker: its role owns the schema chronawflow there.',
  platform: 'Run `chronawflow prepare`: the role that Chronawflow runs as does not own these tables.',
};

export function checkMigrations(plane: Plane, pool: Pool): Check {
  const name = `${plane} migrations`;
  return {
    name,
    fallbackFix: FIX[plane],
    look: async () => {
      const files = (await readdir(join(packageDatabaseDirectory(), 'migrations', plane))).filter((file) =>
        file.endsWith('.sql'),
      );
      const { rows: there } = await pool.query<{ there: boolean }>(
        `select to_regclass('chronawflow.migration') is not null as there`,
      );
      const applied = there[0]?.there
        ? (await pool.query<{ name: string }>('select name from chronawflow.migration')).rows
        : [];
      return [
        compareMigrations(
          plane,
          files,
          applied.map((row) => row.name),
        ),
      ];
    },
  };
}

export function compareMigrations(plane: Plane, files: readonly string[], applied: readonly string[]) {
  const name = `${plane} migrations`;
  const missing = files.filter((file) => !applied.includes(file));
  if (missing.length > 0) return broken(name, `not applied: ${missing.sort().join(', ')}`, FIX[plane]);
  const unknown = applied.filter((one) => !files.includes(one));
  if (unknown.length > 0)
    return warning(
      name,
      `applied by a newer release: ${unknown.sort().join(', ')}`,
      'Use the release of Chronawflow that made them.',
    );
  return ok(name, `${files.length} applied`);
}
