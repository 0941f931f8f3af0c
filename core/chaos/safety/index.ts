export { firstThatHolds } from './conditions';
export { controlPlaneFacts, type OwnDoing, tenantFacts } from './gather-facts';
export { type Refusal, refusals, type SafetyFacts, type SafetyPlan } from './refusals.pure';
