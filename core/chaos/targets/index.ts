export { type AllowList, allowedTarget, resourceOf } from './allow-list';
