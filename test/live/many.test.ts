import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createPoll, get, post } from '../support/http.ts';
import { startTestServer } from '../support/server.ts';

const subscriberCount = 5_000;
const openAtOnce = 250;

type Seen = { versions: number[]; total: number };

function follow(url: string, poll: string): Promise<{ socket: WebSocket; seen: Seen }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace(/^http/u, 'ws')}/api/v1/live`, { perMessageDeflate: false });
    const seen: Seen = { versions: [], total: -1 };
    socket.once('error', reject);
    socket.once('open', () => socket.send(JSON.stringify({ type: 'subscribe', poll })));
    socket.on('message', (data) => {
      const frame = JSON.parse((data as Buffer).toString()) as { type: string; version?: number; total?: number }; // What the server sends.
      if (frame.version === undefined || frame.total === undefined) return;
      seen.versions.push(frame.version);
      seen.total = frame.total;
      if (frame.type === 'snapshot') resolve({ socket, seen });
    });
  });
}

test('five thousand subscribers of one process all see the last count, and none sees it go back', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { electorate: 'open' });
  const followers: Awaited<ReturnType<typeof follow>>[] = [];
  while (followers.length < subscriberCount) {
    followers.push(...(await Promise.all(Array.from({ length: openAtOnce }, () => follow(server.url, poll.id)))));
  }
  expect(server.running.hub.onlineOf({ pollNo: 1 })).toBe(subscriberCount);
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(
      Array.from({ length: 20 }, () => post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'] })),
    );
  }
  await expect.poll(() => followers.every(({ seen }) => seen.total === 100), { timeout: 60_000 }).toBe(true);
  expect((await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json).toMatchObject({ total: 100 });
  const backwards = followers.filter(({ seen }) =>
    seen.versions.some((version, index) => version <= (seen.versions[index - 1] ?? -1)),
  );
  expect(backwards).toHaveLength(0);
  for (const { socket } of followers) socket.terminate();
  await expect.poll(() => server.running.hub.onlineOf({ pollNo: 1 })).toBe(0);
});
