import type { SuiteEntry } from './score.pure';

/** The suite as JUnit XML: deviated and aborted are failures, what said nothing is skipped, a fault that is left an error. */
export function junit(entries: readonly SuiteEntry[], name = 'chronawflow chaos suite'): string {
  const failures = entries.filter((entry) => outcome(entry) === 'failure').length;
  const errors = entries.filter((entry) => outcome(entry) === 'error').length;
  const skipped = entries.filter((entry) => outcome(entry) === 'skipped').length;
  const seconds = entries.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1_000;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="${escaped(name)}" tests="${entries.length}" failures="${failures}" errors="${errors}" skipped="${skipped}" time="${seconds.toFixed(3)}">`,
    ...entries.map(testCase),
    '</testsuite>',
    '',
  ].join('\n');
}

function testCase(entry: SuiteEntry): string {
  const kind = outcome(entry);
  const open = `  <testcase classname="${escaped(entry.file)}" name="${escaped(entry.title)}" time="${(entry.durationMs / 1_000).toFixed(3)}"`;
  if (kind === 'passed') return `${open}/>`;
  const message = escaped(`${entry.verdict}${entry.message === undefined ? '' : `: ${entry.message}`}`);
  return `${open}><${kind} message="${message}"/></testcase>`;
}

function outcome({ verdict, residual }: SuiteEntry): 'passed' | 'failure' | 'error' | 'skipped' {
  if (residual > 0 || verdict === 'failed') return 'error';
  if (verdict === 'passed') return 'passed';
  return verdict === 'deviated' || verdict === 'aborted' ? 'failure' : 'skipped';
}

/** Control characters have no place in XML 1.0, not even escaped. */
function escaped(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to go
  const allowed = text.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu, ' ');
  return allowed
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
