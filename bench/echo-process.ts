/** What the votes and reads are measured against: bare `node:http` that parses a JSON body and sends it back, or says hello. */
import { createServer } from 'node:http';

const helloBytes = Number(process.argv[2] ?? 200);
const hello = JSON.stringify({ hello: 'x'.repeat(helloBytes - 12) });

const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  if (request.method === 'GET') {
    response.end(hello);
    return;
  }
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    text += chunk;
  });
  request.on('end', () => response.end(JSON.stringify(JSON.parse(text))));
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(`listening on ${typeof address === 'object' ? address?.port : address}`);
});
