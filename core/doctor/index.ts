export {
  broken,
  type Check,
  type Finding,
  type FindingState,
  ok,
  runCheck,
  warning,
} from './finding';
export { examineHost, examineParts, type OnFindings } from './run-doctor';
