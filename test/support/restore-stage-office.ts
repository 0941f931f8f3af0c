import type { Pool } from 'pg';
import {
  AccountingWriter,
  deleteAllInvoices,
  seededRandom,
  seedOrganisation,
} from '../../examples/accubooks';
import { type SliceImage, sliceImage } from '../../scripts/demo/slice-image';
import type { RestoreStage } from './restore-stage';

/** A small organisation whose rows at a moment are known. */
export interface Office {
  readonly id: string;
  image(): Promise<SliceImage>;
  /** Writes until it is stopped; every office may have several. */
  writer(seed: number): AccountingWriter;
}

/** An organisation that lost its invoices, the time when it had them, and its rows then. */
export interface LosingOffice extends Office {
  readonly target: string;
  readonly atTarget: SliceImage;
  readonly damaged: SliceImage;
}

let seeds = 0;

export async function openOffice({ books }: Pick<RestoreStage, 'books'>, name: string): Promise<Office> {
  const { id } = await seedOrganisation(
    books,
    { name, invoices: 12, users: 3, customers: 4, attachments: 2 },
    seededRandom(++seeds),
  );
  return {
    id,
    image: () => sliceImage(books, id),
    writer: (seed) =>
      new AccountingWriter(books, {
        organisationId: id,
        random: seededRandom(1_000 + seed),
        ratePerSecond: 20,
      }),
  };
}

/** Opens an office for each name, remembers them at one target, and then deletes all their invoices. */
export async function loseInvoices<Name extends string>(
  stage: Pick<RestoreStage, 'books'>,
  ...names: readonly Name[]
): Promise<Record<Name, LosingOffice>> {
  const offices: { readonly name: Name; readonly office: Office }[] = [];
  for (const name of names) offices.push({ name, office: await openOffice(stage, name) });
  const images = new Map<Office, SliceImage>();
  for (const { office } of offices) images.set(office, await office.image());
  const target = await databaseTime(stage.books);
  const lost: [Name, LosingOffice][] = [];
  for (const { name, office } of offices) {
    await deleteAllInvoices(stage.books, office.id);
    const atTarget = images.get(office) ?? { rows: 0, sha256: '' };
    lost.push([name, { ...office, target, atTarget, damaged: await office.image() }]);
  }
  return fromEntries(lost);
}

/** `Object.fromEntries` that keeps the keys' type. */
function fromEntries<Name extends string, T>(entries: readonly (readonly [Name, T])[]): Record<Name, T> {
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}

/** The application database's clock with microseconds, as an operator would write a target. */
export async function databaseTime(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ now: string }>(
    `select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
  );
  return rows[0]?.now ?? '';
}
