import { connect } from 'node:net';

/** Whether a connection through the proxy is accepted. @param listen as Toxiproxy writes it, such as `127.0.0.1:5433` or `[::]:5433` */
export function acceptsConnections(listen: string, limitMs = 1_000): Promise<boolean> {
  const at = listen.lastIndexOf(':');
  const host = listen.slice(0, at).replaceAll(/[[\]]/g, '');
  const unspecified = host === '' || host === '::' || host === '0.0.0.0';
  return new Promise((resolve) => {
    const socket = connect({ host: unspecified ? '127.0.0.1' : host, port: Number(listen.slice(at + 1)) });
    const end = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.setTimeout(limitMs, () => end(false));
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}
