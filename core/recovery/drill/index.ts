export { chooseDrillTenant } from './choose-drill-tenant';
