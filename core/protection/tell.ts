import { messageOf } from '../errors';

/** Tells a listener; its own failure is a warning of the process, never one of the call that it was told about. */
export function tell<Event>(listener: ((event: Event) => void) | undefined, event: Event): void {
  if (listener === undefined) return;
  try {
    listener(event);
  } catch (error) {
    process.emitWarning(`A listener failed: ${messageOf(error)}`, { code: 'CHRONAWFLOW_LISTENER_FAILED' });
  }
}
