import { Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import { type Config, temporalConnection } from '../config';
import { cancelOnClosedChannel } from './closed-channel';

/** Any connection may be closed under a request that is still to be tried again. */
const interceptors = [makeGrpcRetryInterceptor(defaultGrpcRetryOptions()), cancelOnClosedChannel];

/** Connects at once. */
export function connectTemporal(
  config: Config['temporal'],
  connectTimeout: `${number}s` = '10s',
): Promise<Connection> {
  return Connection.connect({ ...temporalConnection(config), interceptors, connectTimeout });
}

/** Connects when the first request is made. */
export function temporalWhenNeeded(config: Config['temporal'], connectTimeout: `${number}s`): Connection {
  return Connection.lazy({ ...temporalConnection(config), interceptors, connectTimeout });
}
