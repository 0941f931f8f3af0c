import fc from 'fast-check';
import { InvalidInputError } from '../../core/errors';
import { restoreIdFor } from '../../core/recovery/restore-id';
import { shellWord } from '../../core/recovery/shell-word.pure';
import { restoreWorkflowId, workflowIdPart } from '../../core/recovery/workflow-id';
import { scratchTaskQueue } from '../../workers/scratch-queue';

const wellFormed = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 });

test('a part of a workflow ID is bounded and of harmless characters, whatever the tenant is called', () => {
  fc.assert(
    fc.property(wellFormed, (text) => {
      const part = workflowIdPart(text);
      expect(part.length).toBeLessThanOrEqual(160);
      expect(part).toMatch(/^[A-Za-z0-9._%~-]+$/);
    }),
  );
});

test('different tenants and requests never share a run', () => {
  fc.assert(
    fc.property(wellFormed, wellFormed, wellFormed, wellFormed, (a, b, c, d) => {
      fc.pre(a !== c || b !== d);
      expect(restoreWorkflowId(a, b)).not.toBe(restoreWorkflowId(c, d));
    }),
  );
});

test('tenant a/b is not tenant a, and a long name is not its beginning', () => {
  expect(restoreWorkflowId('a/b', 'c')).not.toBe(restoreWorkflowId('a', 'b/c'));
  expect(workflowIdPart('a/b')).toBe('a%2Fb');
  const long = 'x'.repeat(500);
  expect(workflowIdPart(long)).not.toBe(workflowIdPart(`${long}x`));
  // The short form of a long name cannot be made by hand: ~ is encoded.
  expect(workflowIdPart(workflowIdPart(long))).not.toBe(workflowIdPart(long));
  expect(() => workflowIdPart('')).toThrow(InvalidInputError);
});

test('a restore ID is derived: the same workflow, the same restore', () => {
  expect(restoreIdFor('restore/acme/1')).toBe(restoreIdFor('restore/acme/1'));
  expect(restoreIdFor('restore/acme/1')).toMatch(/^r[0-9a-f]{12}$/);
  expect(restoreIdFor('restore/acme/1')).not.toBe(restoreIdFor('restore/acme/2'));
});

test('the scratch queue is the same after a restart and another for another directory', () => {
  expect(scratchTaskQueue('q', '/a', 'h')).toBe(scratchTaskQueue('q', '/a', 'h'));
  expect(scratchTaskQueue('q', '/a', 'h')).not.toBe(scratchTaskQueue('q', '/b', 'h'));
});

test('a word for the shell survives a POSIX shell', () => {
  expect(shellWord('restore/a%2Fb/1')).toBe('restore/a%2Fb/1');
  expect(shellWord("it's; rm -rf")).toBe(`'it'\\''s; rm -rf'`);
});
