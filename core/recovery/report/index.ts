export { checkObjectives } from '../check-objectives.pure';
export {
  type ComplianceInput,
  type ComplianceReport,
  type TierCompliance,
  validateRPORTOCompliance,
} from './compliance.pure';
export { recoveryReach } from './recovery-reach.pure';
export { type Objective, type Objectives, tierOf } from './tier-of.pure';
