/**
 * The vocabulary of the tenant restore, shared by every layer. Types only: workflows import this file.
 *
 * Times are ISO 8601 text in UTC with microseconds ("2026-11-23T10:15:00.123456Z"); LSNs are PostgreSQL's text form
 * ("0/3000148"). Everything here is JSON: it travels through Temporal.
 */

export type * from './cluster-restore';
export type * from './conflicts';
export type * from './merge';
export type * from './preview';
export type * from './recovery-point';
export type * from './report';
export type * from './requests';
export type * from './scratch';
export type * from './target';
