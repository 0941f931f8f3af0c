-- Everything the tables are made of. Names are unquoted lower case, except where AccuBooks' older releases used an
-- object mapper with camelCase names (see 02-organisations.sql, "tenantSettings").

create type plan as enum ('free', 'standard', 'enterprise');
create type account_type as enum ('asset', 'liability', 'equity', 'income', 'expense');
create type invoice_status as enum ('draft', 'posted', 'paid', 'void');

-- Money is never negative here: a debit is a positive number in the debit column.
create domain amount as numeric(14, 2) check (value >= 0);

-- Lets an exclusion constraint compare organisations with the GiST operators of core PostgreSQL, so that installing
-- AccuBooks needs no extension: [id, id] overlaps [id, id] exactly when both are the same organisation.
create type uuid_range as range (subtype = uuid);
