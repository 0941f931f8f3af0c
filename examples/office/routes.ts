import { writeAtDesk } from './desk';
import type { Office } from './office';
import { isOfficeTenant, type OfficeTenant } from './tenants';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

type Route = (office: Office, query: URLSearchParams) => Promise<unknown> | unknown;

const number = (query: URLSearchParams, name: string, otherwise: number) =>
  Number(query.get(name) ?? otherwise);

const ROUTES: Readonly<Record<string, Route>> = {
  'GET /healthz': () => ({ ok: true }),
  'GET /desk': ({ connections, tenants }, query) =>
    writeAtDesk(
      connections.desk,
      tenants.harbour,
      query.get('table') === 'invoices' ? 'invoices' : 'access_log',
    ),
  'POST /jobs': async ({ jobs, tenants }, query) => ({
    asked: await jobs.ask(tenants[tenantOf(query)], number(query, 'count', 10), number(query, 'takes', 300)),
  }),
  'GET /jobs': ({ jobs }) => jobs.account(),
  'POST /restore': ({ restore }, query) => restore.begin(query.get('until') ?? 'done'),
  'GET /restore': ({ restore }) => restore.account(),
  'GET /tax': ({ tax }) => tax.account(),
  'GET /limits': ({ limits }) => limits.account(),
  'GET /standby': async ({ watch }) => {
    await watch.write();
    return watch.standby();
  },
  'GET /audit': ({ watch }) => watch.audit(),
  'POST /audit': async ({ watch }, query) => ({
    events: await watch.recordEvents(number(query, 'events', 20)),
  }),
  'GET /clock': ({ watch, tenants }) => watch.clock(tenants.harbour),
  'GET /level': ({ watch }) => watch.level(),
  'GET /contained': ({ watch }) => watch.contained(),
};

function tenantOf(query: URLSearchParams): OfficeTenant {
  const name = query.get('tenant') ?? 'harbour';
  return isOfficeTenant(name) ? name : 'harbour';
}

/** What the office answers; what it cannot find out is a status of 503 with the reason. */
export async function answerFor(office: Office, method: string, url: URL): Promise<Answer> {
  if (method === 'GET' && url.pathname === '/') {
    const desk = await writeAtDesk(office.connections.desk, office.tenants.harbour);
    return { status: desk.outcome === 'written' ? 200 : 503, body: desk };
  }
  const route = ROUTES[`${method} ${url.pathname}`];
  if (route === undefined) return { status: 404, body: { routes: Object.keys(ROUTES) } };
  try {
    return { status: 200, body: await route(office, url.searchParams) };
  } catch (error) {
    return { status: 503, body: { error: error instanceof Error ? error.message : String(error) } };
  }
}
