/**
 * The application's server: everything that makes a commit durable is on, and it has the memory that somebody gives a
 * database of 1 GB.
 */
export const SERVER_SETTINGS = {
  fsync: true,
  full_page_writes: true,
  synchronous_commit: true,
  shared_buffers: '1GB',
  work_mem: '64MB',
  maintenance_work_mem: '256MB',
  max_wal_size: '4GB',
  // Checkpoints and vacuum happen between the measurements, at the same place for both sides, not at random in one.
  checkpoint_timeout: '1h',
  autovacuum: false,
} as const;

/**
 * The scratch server's, which both sides set alike: it is thrown away, so nothing of it has to survive a crash. The same
 * values are Chronawflow's defaults.
 */
export const SCRATCH_SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  shared_buffers: '256MB',
  work_mem: '64MB',
  max_wal_size: '1GB',
} as const;
