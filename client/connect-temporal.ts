import { connectivityState, Metadata } from '@grpc/grpc-js';
import { Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import { type Config, temporalConnection } from '../config';
import { cancelOnClosedChannel } from './closed-channel';

/** Any connection may be closed under a request that is still to be tried again. */
const interceptors = [makeGrpcRetryInterceptor(defaultGrpcRetryOptions()), cancelOnClosedChannel];

/**
 * For a server, or this process, that stands still for a while, such as a machine that is short of memory or is moved to another
 * host: three times a pause of 5 s. One that is down refuses the connection, which is told at once.
 */
const CONNECT_LIMIT = '15s';

/**
 * Connects at once.
 *
 * @throws the SDK's errors; one that says what was wrong with the connection as soon as it is refused
 */
export async function connectTemporal(
  config: Config['temporal'],
  connectTimeout: `${number}s` = CONNECT_LIMIT,
): Promise<Connection> {
  const connection = RefusableConnection.lazy({
    ...temporalConnection(config),
    interceptors,
    connectTimeout,
  });
  try {
    await connection.ensureConnected();
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Connects when the first request is made; each request is tried again as long as the SDK does. */
export function temporalWhenNeeded(config: Config['temporal']): Connection {
  return Connection.lazy({ ...temporalConnection(config), interceptors });
}

/** The SDK's own connection waits for its whole limit, whatever is wrong, and does not say what it was. */
class RefusableConnection extends Connection {
  protected override async untilReady(deadline: number): Promise<void> {
    const channel = this.client.getChannel();
    for (;;) {
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.READY) return;
      if (state === connectivityState.TRANSIENT_FAILURE) {
        const why = await this.whyRefused(deadline);
        if (channel.getConnectivityState(false) !== connectivityState.READY) throw why;
      }
      await new Promise<void>((resolve, reject) =>
        channel.watchConnectivityState(state, deadline, (late) => (late ? reject(late) : resolve())),
      );
    }
  }

  /** By gRPC's default a request fails at once with what made its connection fail. */
  private whyRefused(deadline: number): Promise<unknown> {
    const bytes = (request: Buffer) => request;
    return new Promise((resolve) => {
      this.client.makeUnaryRequest(
        METHOD,
        bytes,
        bytes,
        Buffer.alloc(0),
        new Metadata(),
        { deadline },
        resolve,
      );
    });
  }
}

/** Any one would do: it does not get as far as the server. */
const METHOD = '/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo';
