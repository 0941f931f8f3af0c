import { BlockList, isIP } from 'node:net';

/** Metadata services of clouds live there; a request to them gives credentials away. Source: RFC 3927, RFC 4291. */
const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');
/** Amazon's metadata service over IPv6, in the range of unique local addresses. */
LINK_LOCAL.addAddress('fd00:ec2::254', 'ipv6');

/** Whether the IP address is link-local, written in whatever way, IPv4 within IPv6 included. */
export function isLinkLocal(address: string): boolean {
  const plain = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  const family = isIP(plain);
  if (family === 0) return false;
  const within = /^::ffff:(?:0:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (within !== undefined) return LINK_LOCAL.check(within, 'ipv4');
  return LINK_LOCAL.check(plain, family === 4 ? 'ipv4' : 'ipv6');
}

export interface AllowedAddress {
  readonly url: string;
  readonly methods: readonly string[];
}

/** Whether an address is below an allowed one: the same origin, and a path that begins with its whole segments. */
export function isAllowedAddress(address: URL, method: string, allowed: readonly AllowedAddress[]): boolean {
  if (address.username !== '' || address.password !== '') return false;
  return allowed.some(({ url, methods }) => {
    const base = new URL(url);
    const path = base.pathname.replace(/\/$/, '');
    return (
      base.origin === address.origin &&
      methods.includes(method) &&
      (address.pathname === path || address.pathname.startsWith(`${path}/`))
    );
  });
}
