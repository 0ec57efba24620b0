#!/usr/bin/env node
/**
 * Casts a ballot, shows the tally, and follows the results until Ctrl-C. Needs Node 18 or newer and nothing else.
 *   node examples/node.mjs http://localhost:8000 drinks 1 alice
 * The last word is the voter, in polls whose electorate is `declared`.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

const [server, poll, option, userId] = process.argv.slice(2);
const url = `${server}/api/v1/polls/${encodeURIComponent(poll)}`;

const receipt = await castBallot({ selections: [option], userId }, randomUUID());
console.log('Receipt', receipt.ballotId);
const tally = await (await fetch(`${url}/tally`)).json();
console.log('Tally', tally.total, tally.counts);
for await (const frame of follow()) {
  if (frame.type === 'tally') console.log('Live', frame.total, frame.counts);
}

/** Tries until it has an answer that is one. Every attempt carries the same key, so the ballot counts once. */
async function castBallot(ballot, key) {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await send(ballot, key).catch((error) => ({ status: 0, body: error, retryAfter: null }));
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    const mayHelp = [0, 408, 429].includes(answer.status) || answer.status >= 500;
    if (!mayHelp || attempt === 8) throw new Error('The ballot was refused.', { cause: answer.body });
    await pause((answer.retryAfter ?? Math.random() * attempt) * 1_000);
  }
}

/** 201: counted. 202: kept by the broker, and counted soon. Anything else is a problem, and says why. */
async function send(ballot, key) {
  const response = await fetch(`${url}/ballots`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': `"${key}"`, prefer: 'wait=5' },
    body: JSON.stringify(ballot),
    signal: AbortSignal.timeout(10_000),
  });
  const retryAfter = response.headers.get('retry-after');
  return { status: response.status, body: await response.json(), retryAfter: retryAfter && Number(retryAfter) };
}

/** The frames of docs/protocol.md, over server-sent events. The first one after a break is the state as it then is. */
async function* follow() {
  for (;;) {
    try {
      const response = await fetch(`${url}/events`);
      let text = '';
      for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
        const events = (text + part).split('\n\n');
        text = events.pop();
        for (const event of events) {
          const data = /^data: (.*)$/m.exec(event);
          if (data) yield JSON.parse(data[1]);
        }
      }
    } catch (error) {
      console.error('The stream broke:', error.message);
    }
    await pause(1_000 + Math.random() * 4_000);
  }
}
