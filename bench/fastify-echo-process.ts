/** What the vote route is measured against: a bare Fastify route that sends its JSON body back. */
import Fastify from 'fastify';

const app = Fastify();
app.post('/echo', (request, reply) => reply.send(request.body));
console.log(`listening on ${new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port}`);
