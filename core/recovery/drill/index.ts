export { chooseDrillTenant } from './choose-drill-tenant';
export { type LastDrill, lastDrill } from './last-drill';
