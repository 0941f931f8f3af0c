import {
  InterceptingCall,
  type InterceptingListener,
  type Interceptor,
  Metadata,
  status,
} from '@grpc/grpc-js';

/** What a request says that was still to be tried again when its connection was closed. */
export const CLOSED_CHANNEL = 'the connection was closed before an answer came';

/**
 * Ends a request whose channel is closed as cancelled. The SDK tries failed requests again from a timer
 * (@temporalio/client 1.24, grpc-retry.ts); when the channel is closed by then, gRPC throws out of that timer, where no caller
 * can catch it, and the process dies.
 */
export const cancelOnClosedChannel: Interceptor = (options, nextCall) => {
  try {
    return new InterceptingCall(nextCall(options));
  } catch {
    // The only thing that keeps a call from being made is its channel's end.
    return new InterceptingCall(CANCELLED);
  }
};

const CANCELLED: ConstructorParameters<typeof InterceptingCall>[0] = {
  start: (_metadata, listener) => cancel(listener),
  cancelWithStatus: () => undefined,
  getPeer: () => 'none',
  sendMessageWithContext: () => undefined,
  sendMessage: () => undefined,
  startRead: () => undefined,
  halfClose: () => undefined,
  getAuthContext: () => null,
};

function cancel(listener: Partial<InterceptingListener> | undefined): void {
  // As gRPC itself does it: never before the caller has finished making the call.
  process.nextTick(() => {
    listener?.onReceiveMessage?.(null);
    listener?.onReceiveStatus?.({
      code: status.CANCELLED,
      details: CLOSED_CHANNEL,
      metadata: new Metadata(),
    });
  });
}
