export { emptyRegistry, foldRegistry, type Root, type Statement, statementHash } from './fold-registry.pure';
export { type Grant, hasKey, mayDo, type Operator, type ReAnchor, type Registry } from './registry.pure';
export { appendStatement, lockRegistryShared, readRegistry } from './registry-store';
