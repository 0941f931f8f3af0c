import { z } from 'zod';
import { tls } from './tls';

/** How to reach one PostgreSQL database. */
export const connection = z.strictObject({
  host: z.string().min(1),
  port: z.coerce.number().int().min(1).max(65_535).default(5432),
  database: z.string().min(1),
  user: z.string().min(1),
  password: z.string().optional(),
  /** Read at load time; the file's content without its last newline is the password. */
  passwordFile: z.string().optional(),
  ssl: tls,
});
