-- Containment of one tenant freezes by the restore's gate, and holds jobs beside what people hold; core/containment/README.md.

-- A containment's gate belongs to no restore.
alter table chronawflow.gate drop constraint gate_restore_id_fkey;

alter table chronawflow.job_hold
  drop constraint job_hold_kind_check,
  -- a containment's hold has a lease: it ends by itself unless it is renewed
  add constraint job_hold_kind_check check (kind in ('quarantine', 'pause', 'containment')),
  add constraint job_hold_containment_until check (kind <> 'containment' or until is not null);
