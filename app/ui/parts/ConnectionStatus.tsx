import type { Connection } from '../../models/connection.ts'
import { DirectIcon, OfflineIcon, ReconnectingIcon, RelayIcon } from './icons.tsx'

const appearance = {
  Offline: { Icon: OfflineIcon, meaning: 'No connection. What you write is kept and sent later.' },
  Reconnecting: { Icon: ReconnectingIcon, meaning: 'Looking for the relay. What you write is kept and sent later.' },
  Relay: { Icon: RelayIcon, meaning: 'Messages travel sealed through the relay.' },
  Direct: { Icon: DirectIcon, meaning: 'Messages travel straight between your two devices.' },
} as const satisfies Record<Connection, unknown>

/** How messages travel now. There is exactly one of these on the page. */
export const ConnectionStatus = ({ connection }: { connection: Connection }) => {
  const { Icon, meaning } = appearance[connection]
  return (
    <span
      role="status"
      aria-label="Connection"
      class={`connection connection-${connection.toLowerCase()}`}
      title={meaning}
    >
      <Icon />
      {connection}
    </span>
  )
}
