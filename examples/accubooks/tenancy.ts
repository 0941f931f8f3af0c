import type { TenancyConfig } from '../../config';

/** The `tenancy` block of chronawflow.yaml for AccuBooks: only what the catalog alone cannot tell. */
export const accuBooksTenancy: TenancyConfig = {
  model: 'row',
  table: 'public.organisations',
  key: 'id',
  // "tenantSettings" comes from the release that named columns in camelCase.
  columns: ['organisation_id', 'organisationId'],
  schemas: ['public'],
  schemaName: '{tenant}',
  overrides: {
    'public.currencies': { mode: 'shared' },
    // Events that other systems have received already; going back would send them twice or contradict them.
    'public.outbox': { mode: 'keep' },
    // Reached by its payment and by its invoice: the payment decides.
    'public.payment_allocations': { path: ['payment_id'] },
    // A number that was issued after the target is on paper; it is never issued again.
    'public.counters': { forward: ['next_invoice_number'] },
  },
};
