import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/**
 * The time since this host booted, and which boot that was. Nobody can set this clock, so a stepped wall clock neither
 * lengthens a lease nor ends it early; a lease of another boot is over.
 */
export interface HostTime {
  readonly bootId: string;
  /** Milliseconds since the boot, time asleep included. */
  readonly uptimeMs: number;
}

let known: string | undefined;

/** Source: proc(5), /proc/sys/kernel/random/boot_id. Elsewhere the minute of the boot, which a stepped clock may change. */
export function bootId(): string {
  if (known !== undefined) return known;
  try {
    known = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    known = `boot-at-${Math.round((Date.now() / 1_000 - uptime()) / 60)}`;
  }
  return known;
}

export function hostTime(): HostTime {
  return { bootId: bootId(), uptimeMs: Math.round(uptime() * 1_000) };
}
