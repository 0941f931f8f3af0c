-- What of a restore's staging was made while its scratch cluster was restored (core/recovery/slice/prepare-slice.ts).
alter table chronawflow.restore add column prepared jsonb;
