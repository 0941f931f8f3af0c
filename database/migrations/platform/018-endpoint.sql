-- Endpoints that processes choose among, for the graph of failure domains. core/health/endpoint.
create table chronawflow.endpoint_known (
  service  text not null,
  endpoint text not null,
  seen_at  timestamptz not null default clock_timestamp(),
  primary key (service, endpoint)
);
