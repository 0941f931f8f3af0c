import { ErasureClient } from '../../client/erasure';
import { OperatorSigning } from '../../client/operator-signing';
import { type Config, configSchema } from '../../config';
import type { Signer } from '../../core/operators';
import { type RealApplication, startApplication } from './real-application';
import { openWorld, SliceLab } from './slice-lab';

const SCHEMA = `
create table tenants (id text primary key); insert into tenants values ('a'), ('b');
create table customer (id int primary key, tenant_id text not null references tenants, email text, name text not null, city text);
create table visit (id int primary key, customer int not null references customer on delete cascade, note text);
create table letter (tenant_id text not null, recipient text, body text);
insert into customer select n, case when n % 2 = 0 then 'a' else 'b' end, case when n < 2 then 'ada@example.org' else 'p' || n end, 'Name ' || n, 'Here'
  from generate_series(0, 9) n;
insert into visit select n, n, case when n < 2 then 'ada@example.org' else 'p' || n end from generate_series(0, 9) n;
insert into letter values ('a', 'ada@example.org', 'Dear Ada'), ('a', 'p2', 'Dear you'), ('b', 'ada@example.org', 'Dear Ada');
`;

export const RULES = {
  backupRetention: '35d',
  tables: {
    'public.customer': { subject: 'email', set: { email: null, name: 'erased' } },
    'public.visit': { subject: 'note', delete: true },
    'public.letter': { subject: 'recipient', set: { body: '', recipient: null } },
  },
};

export const ADA = 'ada@example.org';

/** A world in which Ada is a person of two tenants, and an application without an erasure before. */
export class ErasureLab {
  private constructor(
    private readonly app: RealApplication,
    readonly slices: SliceLab,
    readonly erasure: ErasureClient,
  ) {}

  static async open(app: RealApplication): Promise<ErasureLab> {
    const world = await openWorld(app, { schema: SCHEMA });
    const slices = new SliceLab({ ...world.app, config: withRules(world.app.config, RULES) });
    // Erasures are the platform's, which all worlds share.
    const owner = app.platformCluster.connect('chronawflow', 'postgres', 1);
    await owner.query(`set session_replication_role = replica; alter table chronawflow.audit_personal disable trigger all;
      truncate chronawflow.audit_personal, chronawflow.erasure, chronawflow.legal_hold, chronawflow.erasure_salt;
      alter table chronawflow.audit_personal enable always trigger audit_personal_only_erase;
      alter table chronawflow.audit_personal enable always trigger audit_personal_no_truncate`);
    await owner.end();
    return new ErasureLab(app, slices, clientFor(app, slices, slices.app.config));
  }

  clientOf(config: Config, signer?: Signer): ErasureClient {
    return clientFor(this.app, this.slices, config, signer);
  }

  /** By the operator grace. */
  erase(subject = ADA) {
    return this.erasure.erase({ tenant: 'a', subject, reason: 'request 1', as: 'grace' });
  }
}

function clientFor(app: RealApplication, slices: SliceLab, config: Config, signer?: Signer): ErasureClient {
  const signing = new OperatorSigning(config, app.platform, signer);
  return new ErasureClient(config, app.platform, slices.app.application, signing);
}

/** The configuration with these rules of erasure. */
export function withRules(config: Config, rules: object | undefined): Config {
  return { ...config, erasure: configSchema.shape.erasure.parse(rules) };
}

/** For one test file: an application for all its tests, and a lab for each, handed to `take`. */
export function useErasureLab(take: (app: RealApplication, lab: ErasureLab) => void): void {
  let app: RealApplication;
  let lab: ErasureLab | undefined;
  beforeAll(async () => {
    app = await startApplication({ backup: false });
  });
  beforeEach(async () => {
    lab = await ErasureLab.open(app);
    take(app, lab);
  });
  afterEach(() => lab?.slices.drop());
  afterAll(() => app?.stop());
}
