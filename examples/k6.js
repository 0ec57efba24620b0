/**
 * A crowd that votes, for k6 (https://k6.io). Each voter sends one ballot, again with the same key where it must.
 *   k6 run -e SERVER=http://localhost:8000 -e POLL=drinks -e OPTION=1 -e VOTERS=1000 -e RATE=500 examples/k6.js
 * The poll has the electorate `open` or `declared`. At the end the tally holds one ballot more for each receipt.
 */
import { check, sleep } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter } from 'k6/metrics';

const { SERVER = 'http://localhost:8000', POLL = 'drinks', OPTION = '1', VOTERS = '1000', RATE = '500' } = __ENV;
const url = `${SERVER}/api/v1/polls/${POLL}`;
const receipts = new Counter('receipts');

export const options = {
  scenarios: {
    crowd: {
      executor: 'constant-arrival-rate',
      rate: Number(RATE),
      timeUnit: '1s',
      duration: `${Math.ceil(VOTERS / RATE)}s`,
      preAllocatedVUs: 100,
      maxVUs: 1000,
    },
  },
  thresholds: { checks: ['rate==1'], 'http_req_duration{name:ballot}': ['p(99)<500'] },
};

export function setup() {
  return { totalBefore: readTotal(), run: Date.now().toString(36) };
}

export default function castBallot({ run }) {
  const voter = `${run}-${exec.scenario.iterationInTest}`;
  const body = JSON.stringify({ selections: [OPTION], userId: voter });
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': `"${voter}"`, Prefer: 'wait=5' };
  let answer;
  for (let attempt = 1; attempt <= 8; attempt += 1) {
    answer = http.post(`${url}/ballots`, body, { headers, timeout: '10s', tags: { name: 'ballot' } });
    // Status 0 is k6's word for no answer: the ballot may be recorded, and the same key makes the repeat harmless.
    if (![0, 408, 429].includes(answer.status) && answer.status < 500) break;
    sleep(Number(answer.headers['Retry-After'] ?? Math.random() * attempt));
  }
  if (check(answer, { 'the ballot has a receipt': ({ status }) => status >= 200 && status < 300 })) receipts.add(1);
}

export function teardown({ totalBefore }) {
  console.log(`The tally grew by ${readTotal() - totalBefore}: compare it with the counter "receipts".`);
}

function readTotal() {
  return http.get(`${url}/tally`).json('total');
}
