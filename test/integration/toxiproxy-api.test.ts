import { ToxiproxyApi } from '../../core/chaos/drivers/toxiproxy/toxiproxy-api';
import { CleanUp } from '../support/clean-up';
import { silentServer } from '../support/silent-server';
import { standStill } from '../support/stand-still';
import { startToxiproxy, type Toxiproxy } from '../support/toxiproxy';

const cleanUp = new CleanUp();
let toxiproxy: Toxiproxy;
beforeAll(async () => {
  toxiproxy = await startToxiproxy();
  cleanUp.add(() => toxiproxy.stop());
}, 240_000);
afterAll(() => cleanUp.run());

test('Toxiproxy’s answer is taken after a pause that was longer than its limit', async () => {
  const { signal } = new AbortController();
  const asked = new ToxiproxyApi(toxiproxy.url, signal).proxies();
  standStill(5_000);
  await expect(asked).resolves.toEqual(new Map());
});

test('one that never answers is given up', async () => {
  const url = `http://${await silentServer(cleanUp)}`;
  const asked = new ToxiproxyApi(url, new AbortController().signal).proxies();
  await expect(asked).rejects.toMatchObject({ name: 'TimeoutError' });
});
