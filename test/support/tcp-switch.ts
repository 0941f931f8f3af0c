import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A free port of 127.0.0.1 that leads to another port: what a virtual address or a pooler is to a failover. */
export interface TcpSwitch {
  readonly port: number;
  /** Cuts every connection; new ones go there. */
  lead(to: number): void;
  stop(): Promise<void>;
}

export async function startTcpSwitch(to: number): Promise<TcpSwitch> {
  let target = to;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(one);
      one.pipe(other);
      // An error is followed by `close`.
      one.on('error', () => undefined);
      one.once('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  // Listening on a TCP port, so it is an address and no path.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    lead: (next) => {
      target = next;
      cut();
    },
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
  };
}
