import { AttributionUnclearError } from '../../core/recovery/errors/attribution-unclear-error';
import { RestoreInProgressError } from '../../core/recovery/errors/restore-in-progress-error';

test('lines to write are spoken of only where there are some', () => {
  const problem = { table: 'public.orders', reason: 'nothing leads to the tenant' };
  const overrides = ['public.orders: { shared: true }'];
  expect(new AttributionUnclearError([{ ...problem, overrides }]).hint).toContain('lines shown');
  expect(new AttributionUnclearError([{ ...problem, overrides: [] }]).hint).not.toContain('lines shown');
});

test.each([
  ['restore', 'already has a restore running'],
  ['undo', 'already has an undo running'],
])('%s', (kind, text) => {
  const running = { id: 'r1', workflowId: 'tenant-restore/acme', kind };
  expect(new RestoreInProgressError('acme', running).message).toContain(text);
});
