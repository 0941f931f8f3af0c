/** A namespace and the wire to it; names of devices have at most 15 characters. */
export interface OwnNetwork {
  readonly namespace: string;
  readonly outside: string;
  readonly inside: string;
  readonly hostAddress: string;
  readonly address: string;
  readonly prefix: 30;
}

/** Names and a /30 of 10.213.0.0/16 that follow from a port of the stack, so that two stacks on a host do not meet. */
export function ownNetwork(port: number): OwnNetwork {
  const base = (port & 0xfffc) >>> 0;
  const at = (offset: number) => `10.213.${base >> 8}.${(base & 0xff) + offset}`;
  return {
    namespace: `chronawflow-${port}`,
    outside: `cf${port}a`,
    inside: `cf${port}b`,
    hostAddress: at(1),
    address: at(2),
    prefix: 30,
  };
}
