export { workflowIdPart } from './workflow-id-part';
