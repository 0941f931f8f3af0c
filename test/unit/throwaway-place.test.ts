import { type MemoryFacts, throwawayPlace } from '../support/throwaway-place.pure';

const GIB = 1024 ** 3;
const PLENTY: MemoryFacts = {
  mounts: 'proc /proc proc rw 0 0\ntmpfs /dev/shm tmpfs rw,nosuid,nodev,size=24684084k 0 0\n',
  freeBytes: 12 * GIB,
  availableBytes: 20 * GIB,
};

test('tests put their servers in memory when there is plenty of it', () => {
  expect(throwawayPlace(PLENTY)).toBe('/dev/shm');
});

test('on the disk on other systems', () => {
  expect(throwawayPlace(undefined)).toBe('/tmp');
});

test.each<[string, Partial<MemoryFacts>]>([
  ['no memory of its own', { mounts: '/dev/vda / ext4 rw 0 0\n' }],
  ['a directory of the disk', { mounts: '/dev/vda /dev/shm ext4 rw 0 0\n' }],
  ['a container’s memory', { mounts: 'shm /dev/shm tmpfs rw,nosuid,nodev,noexec,size=65536k 0 0\n' }],
  [
    'one that was mounted over it',
    { mounts: `${PLENTY.mounts}tmpfs /dev/shm tmpfs ro,size=24684084k 0 0\n` },
  ],
  ['too little left there', { freeBytes: 7 * GIB }],
  ['too little for the processes', { availableBytes: 7 * GIB }],
])('on the disk with %s', (_, facts) => {
  expect(throwawayPlace({ ...PLENTY, ...facts })).toBe('/tmp');
});
