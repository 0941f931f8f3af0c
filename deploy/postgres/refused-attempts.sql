-- What the control plane's server has refused to do to the audit log, read from its own log: the transaction that tried it was
-- rolled back, and with it all that it could have written about itself. Needs `logging_collector = on` and `jsonlog` in
-- `log_destination` (PostgreSQL 15); without them there is nothing to read.
--
-- Run as a superuser in the control-plane database; `chronawflow prepare` does. The functions are the superuser's and give whoever
-- may call them these lines alone, not the right to read files.

create or replace function chronawflow.server_logs() returns table (name text, size bigint)
language sql security definer set search_path = pg_catalog as $$
  select l.name, l.size from pg_ls_logdir() l where l.name like '%.json' order by l.modification desc limit 3
$$;

-- `read`: how many bytes were looked at, up to the last whole line; on each row, and on one without a session.
create or replace function chronawflow.refused_attempts(log_name text, from_byte bigint)
returns table (session text, line bigint, at text, role text, message text, read bigint)
language plpgsql security definer set search_path = pg_catalog as $$
declare
  -- One character a byte, so that a chunk may end within a character.
  chunk text;
  whole integer;
begin
  if not exists (select from pg_ls_logdir() l where l.name = log_name and l.name like '%.json') then
    raise exception 'there is no server log of this name' using errcode = 'undefined_file';
  end if;
  chunk := convert_from(
    pg_read_binary_file(current_setting('log_directory') || '/' || log_name, from_byte, 1048576), 'LATIN1');
  whole := length(chunk) + 1 - nullif(position(e'\n' in reverse(chunk)), 0);
  -- A line is never longer than a chunk; what is, is passed over.
  whole := coalesce(whole, case when length(chunk) = 1048576 then length(chunk) else 0 end);
  return query
    select l ->> 'session_id', (l ->> 'line_num')::bigint, l ->> 'timestamp', l ->> 'user', l ->> 'message', whole::bigint
      from (
        select entry::jsonb as l from regexp_split_to_table(left(chunk, whole), e'\n') entry
         where entry like '{%"42501"%}'
      ) lines
     where l ->> 'state_code' = '42501' and l ->> 'dbname' = current_database()
       and (l ->> 'message' like '%: the audit log is insert-only'
         or l ->> 'message' ~ '^permission denied for table (audit_|operator_statement|used_intent)')
    union all
    select null, null, null, null, null, whole::bigint;
end $$;

revoke execute on function chronawflow.server_logs(), chronawflow.refused_attempts(text, bigint) from public;
