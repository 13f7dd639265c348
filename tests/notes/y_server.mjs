// npm's reference server of y-websocket: `y_server.mjs [PORT]`. Prints `listening on ws://…`; a room is a path.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(process.env.NPM_PACKAGES + '/');
const { WebSocketServer } = require('ws');
const { setupWSConnection } = require('@y/websocket-server/utils');

const server = createServer((_request, response) => response.writeHead(404).end());
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket, request) => setupWSConnection(socket, request));
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  console.log(`listening on ws://127.0.0.1:${server.address().port}`);
});
process.on('SIGINT', () => process.exit(0));
