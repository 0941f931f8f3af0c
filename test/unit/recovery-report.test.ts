import fc from 'fast-check';
import { recoveryReach, tierOf, validateRPORTOCompliance } from '../../core/recovery/report';
import { formatInstant, micros } from '../../core/recovery/target/instant.pure';

const objectives = {
  tiers: { gold: { rpo: 60_000, rto: 600_000 }, bronze: { rpo: 86_400_000, rto: 86_400_000 } },
  tenants: { acme: 'gold' },
  defaultTier: 'bronze',
};
const now = '2026-11-23T10:15:00.000000Z';

test('a tenant has its own tier, else the default, also when it is called constructor', () => {
  expect(tierOf(objectives, 'acme')?.name).toBe('gold');
  expect(tierOf(objectives, 'constructor')?.name).toBe('bronze');
  expect(tierOf({ ...objectives, defaultTier: undefined }, 'toString')).toBeUndefined();
});

test('what would be lost now is judged by tier, and a breach says how much', () => {
  const report = validateRPORTOCompliance({
    objectives,
    tenants: ['acme', 'globex'],
    now,
    latestRestorable: '2026-11-23T10:13:00.000000Z',
    restores: [
      { tenant: 'globex', finishedAt: '2026-11-01T00:00:00.000000Z', rtoMs: 90_000_000 },
      { tenant: 'globex', finishedAt: '2026-11-02T00:00:00.000000Z', rtoMs: 5000 },
    ],
  });
  expect(report).toMatchObject({
    compliant: false,
    tiers: [
      { tier: 'gold', tenants: 1, rpoMs: 120_000, rpoMet: false },
      { tier: 'bronze', tenants: 1, rpoMs: 120_000, rpoMet: true, rtoMs: 5000, rtoMet: true },
    ],
    breaches: [{ tier: 'gold', objective: 'rpo', message: '120000 ms would be lost, allowed are 60000 ms' }],
  });
});

test('an idle cluster loses nothing, one without any backup meets no objective', () => {
  const input = { objectives, tenants: ['acme'], now, restores: [] };
  const old = { latestRestorable: '2026-11-20T00:00:00.000000Z', idleSinceLatest: true };
  expect(validateRPORTOCompliance({ ...input, ...old }).compliant).toBe(true);
  const quiet = { ...old, idleSinceLatest: false, firstAtRisk: '2026-11-23T10:14:30.000000Z' };
  expect(validateRPORTOCompliance({ ...input, ...quiet })).toMatchObject({
    compliant: true,
    tiers: [{ tier: 'gold', rpoMs: 30_000 }],
  });
  expect(validateRPORTOCompliance(input)).toMatchObject({
    compliant: false,
    breaches: [{ objective: 'rpo', message: 'nothing can be restored, allowed are 60000 ms' }],
  });
});

test('it is compliant exactly when no tier has a breach', () => {
  const restore = fc.record({
    tenant: fc.constantFrom('acme', 'b', 'c'),
    finishedAt: fc.constantFrom('2026-11-01T00:00:00.000000Z', '2026-11-02T00:00:00.000000Z'),
    rtoMs: fc.nat(200_000_000),
  });
  fc.assert(
    fc.property(fc.array(restore), fc.subarray(['acme', 'b', 'c']), (restores, tenants) => {
      const report = validateRPORTOCompliance({ objectives, tenants, now, latestRestorable: now, restores });
      const broken = report.tiers.some((tier) => !tier.rpoMet || tier.rtoMet === false);
      expect(report.compliant).toBe(!broken);
      expect(report.tiers.reduce((sum, tier) => sum + tier.tenants, 0) + report.withoutTier.length).toBe(
        tenants.length,
      );
    }),
  );
});

test('how far the repository reached: the target and the present against the latest restorable commit', () => {
  const instant = fc.bigInt({ min: 0n, max: 4_000_000_000_000_000n }).map((us) => micros(us));
  const target = {
    kind: 'time' as const,
    value: '',
    timeline: 1,
    backupLabel: '',
    firstSegment: '',
    fenceSegment: '',
    fenceToken: '',
    systemId: '',
  };
  fc.assert(
    fc.property(instant, instant, instant, (latest, checked, at) => {
      const verification = {
        backupLabel: '',
        segments: 1,
        latestRestorable: formatInstant(latest),
        checkedAt: formatInstant(checked),
      };
      const reach = recoveryReach(verification, { ...target, at: formatInstant(at) });
      expect(reach?.behindNowMs).toBe(checked > latest ? Number((checked - latest) / 1_000n) : 0);
      expect(reach?.behindTargetMs).toBe(at > latest ? Number((at - latest) / 1_000n) : 0);
      expect(reach?.aheadOfTargetMs).toBe(latest > at ? Number((latest - at) / 1_000n) : 0);
      expect(recoveryReach(verification, target)).not.toHaveProperty('behindTargetMs');
    }),
  );
  const unknown = {
    backupLabel: '',
    segments: 1,
    latestRestorable: '',
    checkedAt: formatInstant(micros(0n)),
  };
  expect(recoveryReach(unknown, target)).toBeUndefined();
});
