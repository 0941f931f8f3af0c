import { ExperimentInvalidError } from '../errors';
import type { AllowList } from '../targets';
import type { Provider } from './experiment';
import { checkAddress } from './provider/http-provider';
import { allowedProgram } from './provider/process-provider';
import { substitute, type Values } from './substitute.pure';

/** Whether an activity may be run at all, before anything is done. @throws TargetNotAllowedError, ExperimentInvalidError */
export function checkAllowed(name: string, provider: Provider, values: Values, targets: AllowList): void {
  if (provider.type === 'process') {
    allowedProgram(String(substitute(provider.path, values)), targets);
    return;
  }
  const address = String(substitute(provider.url, values));
  if (!URL.canParse(address))
    throw new ExperimentInvalidError(name, [
      { path: 'provider.url', reason: `'${provider.url}' is no address` },
    ]);
  checkAddress(new URL(address), String(provider.method ?? 'GET').toUpperCase(), targets);
}
