create function touch_updated_at() returns trigger language plpgsql as $$
begin
  new.updated_at := clock_timestamp();
  return new;
end $$;

create trigger users_touch before update on users for each row execute function touch_updated_at();
create trigger customers_touch before update on customers for each row execute function touch_updated_at();
create trigger invoices_touch before update on invoices for each row execute function touch_updated_at();

create function announce_invoice() returns trigger language plpgsql as $$
declare
  invoice public.invoices;
begin
  if tg_op = 'DELETE' then
    invoice := old;
  else
    invoice := new;
  end if;
  insert into public.outbox (organisation_id, topic, payload)
  values (invoice.organisation_id, 'invoice.' || lower(tg_op),
    jsonb_build_object('id', invoice.id, 'number', invoice.number, 'status', invoice.status, 'total', invoice.total));
  return null;
end $$;

create trigger invoices_announce after insert or update or delete on invoices
  for each row execute function announce_invoice();
