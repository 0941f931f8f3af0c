import { z } from 'zod';
import { freePorts, isPortFree } from '../../cluster';

const port = z.number().int().min(1).max(65_535);

export const chaosPorts = z.strictObject({
  toxiproxy: port,
  applicationProxy: port,
  platformProxy: port,
  temporalProxy: port,
  standby: port,
  secondWorker: port,
  sealer: port,
  office: port,
  tax: port,
});

export type ChaosPorts = z.output<typeof chaosPorts>;

/** The ports of the last time while a part of them runs, or when all of them are still free: they belong together. */
export async function chooseChaosPorts(
  before: ChaosPorts | undefined,
  anyRunning: boolean,
): Promise<ChaosPorts> {
  if (before !== undefined && (anyRunning || (await allFree(Object.values(before))))) return before;
  const names = Object.keys(chaosPorts.shape);
  const ports = await freePorts(names.length);
  return chaosPorts.parse(Object.fromEntries(names.map((name, at) => [name, ports[at]])));
}

async function allFree(ports: readonly number[]): Promise<boolean> {
  return (await Promise.all(ports.map(isPortFree))).every(Boolean);
}
