-- Faults of calls are carried out by the processes that read them here, from this moment on.
alter table chronawflow.fault_lease add column injected_at timestamptz;
