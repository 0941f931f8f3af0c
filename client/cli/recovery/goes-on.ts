import { shellWord } from '../../../core/recovery/shell-word.pure';
import { InterruptedError } from '../interrupted-error';

/** Ctrl-C while a run is watched: it ends the watching and nothing else. */
export function goesOn(workflowId: string): InterruptedError {
  return new InterruptedError(`interrupted; ${workflowId} goes on`, {
    hint: `See how it stands: chronawflow recovery status ${shellWord(workflowId)}`,
    details: { workflowId },
  });
}
