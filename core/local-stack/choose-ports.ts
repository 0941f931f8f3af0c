import { freePorts, isPortFree } from '../cluster';
import type { StackPorts } from './state';

type PortName = keyof StackPorts;

/**
 * The ports of the last time where that is possible: a part that still runs keeps its own, a stopped one as long as
 * nobody else listens there.
 */
export async function choosePorts(
  before: StackPorts | undefined,
  running: ReadonlySet<PortName>,
): Promise<StackPorts> {
  const [temporal = 0, web = 0, application = 0, platform = 0, metrics = 0] = await freePorts(5);
  const fresh: StackPorts = { temporal, web, application, platform, metrics };
  if (before === undefined) return fresh;
  const keep = async (name: PortName) =>
    running.has(name) || (await isPortFree(before[name])) ? before[name] : fresh[name];
  return {
    temporal: await keep('temporal'),
    web: await keep('web'),
    application: await keep('application'),
    platform: await keep('platform'),
    metrics: await keep('metrics'),
  };
}
