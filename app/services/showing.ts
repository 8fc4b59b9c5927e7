import { fromHex, toHex } from '../../protocol/wire/bytes.ts'
import type { PeerRoute } from '../../signaling/network.ts'
import { contactTable } from '../store/records/contact.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { routeOf } from './contacts.ts'
import type { Core } from './core.ts'

/** Keeps a direct link wanted for the conversations on screen, one per tab, and for no others. */
export interface Showing {
  /** What is on screen in a tab. */
  show(conversationId: string | null, tab: string): Promise<void>
  /** Something about contacts was committed: devices or lanes may have come. */
  refresh(): void
  /** The network has started: what was wished before went unheard. */
  resume(): void
}

const describe = ({ contactId, direct, deviceKey, mailboxes }: PeerRoute): string =>
  [contactId, direct, toHex(deviceKey), ...mailboxes.map((mailbox) => toHex(mailbox.lane))].join()

export const createShowing = (core: Core): Showing => {
  const shown = new Map<string, string>()
  /** By contact (hex). */
  let wanted = new Map<string, PeerRoute>()

  const routes = (): Promise<PeerRoute[]> =>
    core.store.read(async (tx) => {
      const found: PeerRoute[] = []
      for (const conversationId of new Set(shown.values())) {
        const row = await tx.get(conversationTable, [fromHex(conversationId)])
        const contact = row && (await tx.get(contactTable, [row.contactId]))
        const route = contact && routeOf(contact)
        if (route) found.push(route)
      }
      return found
    })

  let latest = 0
  const update = async (): Promise<void> => {
    const own = ++latest
    const found = await routes()
    const network = core.network()
    // A later look knows better.
    if (!network || own !== latest) return
    const next = new Map(found.map((route) => [route.contactId, route]))
    for (const [contactId, route] of wanted) if (!next.has(contactId)) network.wantDirect(route, false)
    for (const [contactId, route] of next) {
      const before = wanted.get(contactId)
      if (!before || describe(before) !== describe(route)) network.wantDirect(route, true)
    }
    wanted = next
  }

  return {
    show: (conversationId, tab) => {
      if (conversationId === null) shown.delete(tab)
      else shown.set(tab, conversationId)
      return update()
    },
    refresh: () => {
      if (shown.size > 0) void update().catch(core.report)
    },
    resume: () => {
      wanted = new Map()
      void update().catch(core.report)
    },
  }
}
