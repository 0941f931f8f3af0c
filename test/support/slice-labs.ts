import { type RealApplication, startApplication } from './real-application';
import { imagesOf, openWorld, type SliceLab, type World } from './slice-lab';

/** The tenants of most worlds. */
export const TENANTS = `create table tenants (id text primary key); insert into tenants values ('a'), ('b');`;

/** For one test file: a real application for all its tests, and worlds in it that end with the test that opened them. */
export function useSliceLabs() {
  let app: RealApplication;
  let open: SliceLab[] = [];

  beforeAll(async () => {
    app = await startApplication({ backup: false });
  });
  afterEach(async () => {
    for (const lab of open) await lab.drop();
    open = [];
  });
  afterAll(() => app?.stop());

  /** A database of its own with `schema`. */
  const world = async (schema: string, tenancy?: World['tenancy']): Promise<SliceLab> => {
    const lab = await openWorld(app, { schema, tenancy });
    open.push(lab);
    return lab;
  };
  return {
    world,
    /** The same with `TENANTS` before it. */
    twoTenants: (schema: string, tenancy?: World['tenancy']) => world(TENANTS + schema, tenancy),
    /** Every row's stored image. */
    all: (lab: SliceLab, table: string) => imagesOf(lab.live, `select * from ${table}`),
  };
}
