import { DefaultFailureConverter } from '@temporalio/common';

/** Of the bundle for encrypted payloads: messages and stack traces of failures become payloads, which the codec encrypts. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
