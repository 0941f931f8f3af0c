import type { ComplianceReport } from '../core/recovery/recovery-strategy-manager';

/** What is read straight from the databases and the repository, without a workflow. */
export interface RecoveryReader {
  points(): Promise<RecoveryPoints>;
  changes(
    restoreId: string,
    page: { readonly table: string; readonly offset?: number; readonly limit?: number },
  ): Promise<ChangesPage>;
  compliance(tenant?: string): Promise<ComplianceReport>;
}
