import { freePorts, isPortFree } from '../cluster';
import type { StackPorts } from './state';

type PortName = keyof StackPorts;

/**
 * The ports of the last time where that is possible: a part that still runs keeps its own, a stopped one as long as
 * nobody else listens there.
 */
export async function choosePorts(
  before: Partial<StackPorts> | undefined,
  running: ReadonlySet<PortName>,
): Promise<StackPorts> {
  const [temporal = 0, web = 0, application = 0, platform = 0, metrics = 0, control = 0] = await freePorts(6);
  const fresh: StackPorts = { temporal, web, application, platform, metrics, control };
  if (before === undefined) return fresh;
  const keep = async (name: PortName) => {
    const port = before[name];
    if (port === undefined) return fresh[name];
    return running.has(name) || (await isPortFree(port)) ? port : fresh[name];
  };
  return {
    temporal: await keep('temporal'),
    web: await keep('web'),
    application: await keep('application'),
    platform: await keep('platform'),
    metrics: await keep('metrics'),
    control: await keep('control'),
  };
}
