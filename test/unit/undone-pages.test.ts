import { undoneLines, undonePage, undoneRowsPage } from '../../client/cli/pages/undone-page';
import type { UndoneSubject } from '../../core/jobs';

const subject: UndoneSubject = {
  kind: 'job',
  tenant: 'acme',
  type: 'invoice-run',
  key: '2026-11',
  restores: ['r1', 'r2'],
  steps: ['post'],
  ended: true,
  completedAt: '2026-11-23T10:20:00Z',
  state: 'open',
  job: 'done',
  outside: ['bank/collect'],
};

test('a job is shown with what was undone and what it called outside, before anybody decides', () => {
  const page = undonePage([
    subject,
    { ...subject, key: 'many', steps: Array.from({ length: 12_345 }, (_, n) => `item ${n}`), outside: [] },
    { ...subject, kind: 'request', type: 'POST /invoices', key: 'k', steps: [], outside: [] },
  ]).join('\n');
  expect(page).toContain('post, its end');
  expect(page).toContain('bank/collect');
  expect(page).toContain('r1, r2');
  expect(page).toMatch(/12.345 steps/);
  expect(page).toContain('request');
  expect(undonePage([])).toEqual(['There are no such effects.']);
});

test('a preview without undone effects says nothing of them, one with them how to see them', () => {
  expect(undoneLines(undefined, 'how')).toEqual([]);
  expect(undoneLines({ jobs: 0, steps: 0, requests: 0 }, 'how')).toEqual([]);
  const [line] = undoneLines({ jobs: 2, steps: 5, requests: 1 }, 'List: x');
  expect(line).toContain('2 job(s) with 5 step(s), 1 request(s)');
  expect(line).toContain('nothing is repeated by itself');
  expect(line).toContain('List: x');
});

test('rows are those of the records', () => {
  const row = { kind: 'step', type: 't', key: 'k', step: 'post', completedAt: 'then' } as const;
  expect(undoneRowsPage([row, { ...row, state: 'left' }]).join('\n')).toContain('left');
  expect(undoneRowsPage([])).toHaveLength(1);
});
