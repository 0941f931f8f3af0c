export { makeClusterTemplate as default } from './cluster-template';
