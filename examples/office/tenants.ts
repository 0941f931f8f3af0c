import type { Pool } from 'pg';
import { seededRandom, seedOrganisation } from '../accubooks';

/** Organisations by what they are for; the seed makes their IDs the same in every stack, so that experiments can name them. */
const SEEDS = { harbour: 7_101, juniper: 7_102, rosewood: 7_103, thunder: 7_104 } as const;

export type OfficeTenant = keyof typeof SEEDS;
export type OfficeTenants = Readonly<Record<OfficeTenant, string>>;

export function isOfficeTenant(name: string): name is OfficeTenant {
  return Object.hasOwn(SEEDS, name);
}

/** Makes those that are missing. */
export async function openTenants(pool: Pool): Promise<OfficeTenants> {
  const open = async (name: OfficeTenant) => {
    const { rows } = await pool.query<{ id: string }>('select id from organisations where name = $1', [name]);
    if (rows[0] !== undefined) return rows[0].id;
    const made = await seedOrganisation(pool, { name, invoices: 40 }, seededRandom(SEEDS[name]));
    return made.id;
  };
  return {
    harbour: await open('harbour'),
    juniper: await open('juniper'),
    rosewood: await open('rosewood'),
    thunder: await open('thunder'),
  };
}
