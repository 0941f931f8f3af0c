import type { ChaosTarget } from '../../../config';
import { InvalidInputError } from '../../errors';
import type { AnyDriver, FaultDriver, RawCall, TargetKind, TargetOf } from './driver';

/** Hides a driver's types behind its own parsers: every call checks target, parameters and what was saved. */
export function defineDriver<K extends TargetKind, P extends object, S extends object>(
  driver: FaultDriver<K, P, S>,
): AnyDriver {
  const { name, targetKind, summary, afterPowerLoss, boundedBy, makeReady } = driver;
  const typed = (call: RawCall) => ({
    leaseId: call.leaseId,
    signal: call.signal,
    target: targetFor(driver, call.target),
    parameters: driver.parameters.parse(call.parameters),
  });
  const savedOf = (call: RawCall) => (call.saved === undefined ? undefined : driver.saved.parse(call.saved));
  return {
    ...{ name, targetKind, summary, afterPowerLoss, boundedBy, makeReady },
    parse: (parameters) => plain(driver.parameters.parse(parameters)),
    prepare: async (call) => {
      const others = call.others.flatMap(({ target, saved }) => {
        const known = driver.saved.safeParse(saved);
        return isOfKind(target, targetKind) && known.success ? [{ target, saved: known.data }] : [];
      });
      return plain(await driver.prepare({ ...typed(call), others }));
    },
    inject: async (call) =>
      driver.inject({ ...typed(call), saved: driver.saved.parse(call.saved), remainingMs: call.remainingMs }),
    remove: async (call) =>
      driver.remove({ ...typed(call), saved: savedOf(call), pastDeadline: call.pastDeadline }),
    isThere: async (call) =>
      driver.isThere({ ...typed(call), saved: savedOf(call), pastDeadline: call.pastDeadline }),
  };
}

function targetFor<K extends TargetKind>(
  driver: { readonly name: string; readonly targetKind: K },
  target: ChaosTarget,
): TargetOf<K> {
  if (isOfKind(target, driver.targetKind)) return target;
  throw new InvalidInputError(
    `${driver.name} needs a target of kind ${driver.targetKind}, not ${target.kind}.`,
    {
      details: { driver: driver.name, kind: target.kind },
    },
  );
}

function isOfKind<K extends TargetKind>(target: ChaosTarget, kind: K): target is TargetOf<K> {
  return target.kind === kind;
}

/** As it is stored: a JSON object. */
function plain(value: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value));
}
