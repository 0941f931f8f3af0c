import { DatabaseError, type Pool } from 'pg';
import type { BuiltSchema, BuiltTable, RandomWrite } from './random-schema';
import { TENANT_KEYS } from './random-schema';

/** Plays a history; writes that a constraint refuses change nothing, as in any application. @returns how many took effect. */
export async function play(db: Pool, schema: BuiltSchema, history: readonly RandomWrite[]): Promise<number> {
  let done = 0;
  for (const write of history) {
    const table = schema.tables[1 + (write.table % (schema.tables.length - 1))];
    if (table === undefined) continue;
    try {
      done += await apply(db, schema, table, write);
    } catch (error) {
      // Class 23: integrity constraint violation; 428C9: a value for an ALWAYS identity.
      if (!(error instanceof DatabaseError) || !/^(23|428C9)/.test(error.code ?? '')) throw error;
    }
  }
  return done;
}

async function apply(db: Pool, schema: BuiltSchema, table: BuiltTable, write: RandomWrite): Promise<number> {
  const tenant = TENANT_KEYS[write.tenant % TENANT_KEYS.length] ?? '';
  const run = async (sql: string, values: unknown[] = []) => (await db.query(sql, values)).rowCount ?? 0;
  const row = `(t.*)::text = (select (x.*)::text from ${table.name} x order by 1 offset ${write.row} % greatest(1, (select count(*) from ${table.name})) limit 1)`;
  switch (write.kind) {
    case 'insert':
      return insert(db, schema, table, write, tenant);
    case 'delete':
      return run(`delete from ${table.name} t where ${row}`);
    case 'update value':
      return run(`update ${table.name} t set v = $1 where ${row}`, [write.value % 2 === 0 ? '1.0' : '1.00']);
    case 'update unique':
      return run(`update ${table.name} t set u = $1 where ${row}`, [write.value]);
    case 'swap unique':
      return run(
        `update ${table.name} t set u = -t.u - 1 where t.u is not null; update ${table.name} t set u = 11 + t.u where t.u < 0`,
      );
    case 'update reference': {
      const reference = table.keys[1 + (write.value % Math.max(1, table.keys.length - 1))];
      if (reference === undefined) return 0;
      const value = write.row % 5 === 0 ? 'null' : someKey(schema, reference, write.row);
      return run(`update ${table.name} t set ${reference.settable} = ${value} where ${row}`);
    }
    case 'change owner': {
      const [owner] = table.keys;
      if (owner === undefined) return 0;
      if (table.owner.kind === 'column')
        return run(`update ${table.name} t set tenant_id = $1 where ${row}`, [tenant]);
      return run(
        `update ${table.name} t set (${owner.columns.join(', ')}) = (select ${owner.parentColumns.join(', ')} from ${schema.tables[owner.parent]?.name} p order by (p.*)::text offset ${write.value} limit 1) where ${row}`,
      );
    }
    case 'delete tenant':
      return write.row % 3 === 0 ? run('delete from tenants where id = $1', [tenant]) : 0;
    case 'insert tenant':
      return run('insert into tenants values ($1, $2)', [tenant, write.value]);
  }
}

async function insert(
  db: Pool,
  schema: BuiltSchema,
  table: BuiltTable,
  write: RandomWrite,
  tenant: string,
): Promise<number> {
  const columns: string[] = ['u', 'v'];
  const values: string[] = [
    write.value % 4 === 0 ? 'null' : String(write.value),
    write.row % 2 === 0 ? '1.0' : '1.00',
  ];
  if (table.owner.kind === 'column') {
    columns.push('tenant_id');
    values.push(`'${tenant.replaceAll("'", "''")}'`);
  }
  if (table.keyType !== 'none' && table.identity === 'none') {
    columns.push('id');
    values.push(keyValue(table.keyType, write.row % 13));
  }
  for (const [n, reference] of table.keys.entries()) {
    if (n === 0 && table.owner.kind === 'column') continue;
    const parent = schema.tables[reference.parent]?.name;
    if (n === 0) {
      columns.push(...reference.columns);
      values.push(
        ...reference.parentColumns.map(
          (name) =>
            `(select p.${name} from ${parent} p order by (p.*)::text offset ${write.row} % greatest(1, (select count(*) from ${parent})) limit 1)`,
        ),
      );
    } else if ((write.value + n) % 3 === 0) {
      columns.push(reference.settable);
      values.push(someKey(schema, reference, write.row));
    }
  }
  return (
    (await db.query(`insert into ${table.name} (${columns.join(', ')}) values (${values.join(', ')})`))
      .rowCount ?? 0
  );
}

function someKey(schema: BuiltSchema, reference: BuiltTable['keys'][number], row: number): string {
  const parent = schema.tables[reference.parent]?.name;
  return `(select p.${reference.parentColumns.at(-1)} from ${parent} p order by (p.*)::text offset ${row} % greatest(1, (select count(*) from ${parent})) limit 1)`;
}

/** Few values, so that keys of deleted rows are taken again, by others too. */
function keyValue(type: string, n: number): string {
  switch (type) {
    case 'uuid':
      return `'00000000-0000-4000-8000-${String(n).padStart(12, '0')}'`;
    case 'text':
      return `'k"${n}\\'`;
    case 'numeric':
      return n % 2 === 0 ? `${n}.0` : `${n}.00`;
    default:
      return String(n);
  }
}
