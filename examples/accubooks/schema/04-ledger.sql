-- Double-entry bookkeeping: each journal entry's debits equal its credits.

create table accounts (
  organisation_id uuid not null references organisations on delete cascade,
  code            text not null check (code ~ '^[0-9]{4}$'),
  parent_code     text,
  name            text not null,
  type            account_type not null,
  -- Place in reports; deferrable, so that one UPDATE can swap two accounts.
  position        integer not null,
  primary key (organisation_id, code),
  foreign key (organisation_id, parent_code) references accounts,
  unique (organisation_id, position) deferrable initially immediate,
  check (parent_code <> code)
);
create index accounts_of_parent on accounts (organisation_id, parent_code);

-- Periods of one organisation never overlap; checked at commit, because moving a border changes two of them.
create table accounting_periods (
  id              uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisations on delete cascade,
  days            daterange not null check (not isempty(days)),
  closed_at       timestamptz,
  constraint accounting_periods_overlap
    exclude using gist (uuid_range(organisation_id, organisation_id, '[]') with &&, days with &&)
    deferrable initially deferred
);
create index accounting_periods_of_organisation on accounting_periods (organisation_id);

create sequence journal_entry_id;

create table journal_entries (
  organisation_id uuid not null references organisations on delete cascade,
  booked_on       date not null,
  id              bigint not null default nextval('journal_entry_id'),
  description     text not null,
  -- The books keep an entry whose document was deleted.
  invoice_id      bigint references invoices on delete set null,
  payment_id      bigint references payments on delete set null,
  primary key (organisation_id, booked_on, id)
) partition by hash (organisation_id);

create table journal_entries_0 partition of journal_entries for values with (modulus 4, remainder 0);
create table journal_entries_1 partition of journal_entries for values with (modulus 4, remainder 1);
create table journal_entries_2 partition of journal_entries for values with (modulus 4, remainder 2);
create table journal_entries_3 partition of journal_entries for values with (modulus 4, remainder 3);

create index journal_entries_of_invoice on journal_entries (invoice_id) where invoice_id is not null;
create index journal_entries_of_payment on journal_entries (payment_id) where payment_id is not null;

create table journal_lines (
  organisation_id uuid not null references organisations on delete cascade,
  booked_on       date not null,
  entry_id        bigint not null,
  line_no         integer not null,
  account_code    text not null,
  debit           amount not null default 0,
  credit          amount not null default 0,
  primary key (organisation_id, booked_on, entry_id, line_no),
  foreign key (organisation_id, booked_on, entry_id) references journal_entries on delete cascade,
  foreign key (organisation_id, account_code) references accounts,
  constraint journal_lines_one_side check ((debit > 0) <> (credit > 0))
) partition by range (booked_on);

do $$
begin
  for month in 0 .. 11 loop
    execute format('create table %I partition of journal_lines for values from (%L) to (%L)',
      'journal_lines_2026_' || to_char(month + 1, 'FM00'),
      date '2026-01-01' + make_interval(months => month),
      date '2026-01-01' + make_interval(months => month + 1));
  end loop;
end $$;
create table journal_lines_other partition of journal_lines default;

create index journal_lines_of_account on journal_lines (organisation_id, account_code);

create function assert_entry_balances(organisation uuid, booked date, entry bigint) returns void
language plpgsql as $$
declare
  difference numeric;
begin
  -- An entry that is gone, its lines with it, has nothing to balance.
  if not exists (
    select from public.journal_entries e
    where e.organisation_id = organisation and e.booked_on = booked and e.id = entry
  ) then
    return;
  end if;
  select sum(l.debit) - sum(l.credit) into difference
  from public.journal_lines l
  where l.organisation_id = organisation and l.booked_on = booked and l.entry_id = entry;
  if difference is distinct from 0 then
    raise exception using
      errcode = 'check_violation', table = 'journal_entries', constraint = 'journal_entries_balance',
      message = format('journal entry %s does not balance: debits less credits are %s',
        entry, coalesce(difference::text, 'absent'));
  end if;
end $$;

create function journal_line_changed() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' then
    perform public.assert_entry_balances(old.organisation_id, old.booked_on, old.entry_id);
  end if;
  if tg_op <> 'DELETE' then
    perform public.assert_entry_balances(new.organisation_id, new.booked_on, new.entry_id);
  end if;
  return null;
end $$;

create function journal_entry_added() returns trigger language plpgsql as $$
begin
  perform public.assert_entry_balances(new.organisation_id, new.booked_on, new.id);
  return null;
end $$;

-- At commit, because an entry's lines arrive one after the other.
create constraint trigger journal_lines_balance
  after insert or update or delete on journal_lines
  deferrable initially deferred for each row execute function journal_line_changed();

-- Finds the entry without lines, which no trigger on lines would see.
create constraint trigger journal_entries_balance
  after insert on journal_entries
  deferrable initially deferred for each row execute function journal_entry_added();
