import { join } from 'node:path';

/** Where database/ is, from the sources as well as from dist/: two folders up from here in both. */
export function packageDatabaseDirectory(): string {
  return join(__dirname, '../../database');
}
