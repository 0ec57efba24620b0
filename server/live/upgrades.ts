/** Requests to upgrade to WebSocket: by their exact path, else to whoever takes all others. */
import type { Server } from 'node:http';
import type { Forwarding } from '../lib/forwarding.ts';
import { refuseUpgrade, type Upgrade } from './websocket.ts';

export type UpgradeHandler = (upgrade: Upgrade) => void;

export type Upgrades = {
  at(path: string, handle: UpgradeHandler): void;
  /** Paths that nobody has taken. */
  elsewhere(handle: UpgradeHandler): void;
  listenTo(server: Server): void;
};

export function createUpgrades({ settle }: Pick<Forwarding, 'settle'>): Upgrades {
  const handlers = new Map<string, UpgradeHandler>();
  let fallback: UpgradeHandler | null = null;
  return {
    at: (path, handle) => void handlers.set(path, handle),
    elsewhere(handle) {
      fallback = handle;
    },
    listenTo(server) {
      server.on('upgrade', (request, socket, head) => {
        // Node leaves the socket to us, its errors included.
        socket.on('error', () => socket.destroy());
        settle(request);
        const path = (request.url ?? '').split('?', 1)[0] ?? '';
        const handle = handlers.get(path) ?? fallback;
        if (handle === null) refuseUpgrade(socket, 404, 'route_not_found', 'There is no WebSocket at this address.');
        else handle({ request, socket, head });
      });
    },
  };
}
