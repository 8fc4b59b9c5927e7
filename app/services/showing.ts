import { fromHex, toHex } from '../../protocol/wire/bytes.ts'
import type { PeerRoute } from '../../signaling/network.ts'
import { contactTable } from '../store/records/contact.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { routeOf } from './contacts.ts'
import type { Core } from './core.ts'

/** Keeps a direct link wanted for the conversation on screen, and for no other. */
export interface Showing {
  show(conversationId: string | null): Promise<void>
  /** Something about this contact (hex) was committed: its devices or lanes may have come. */
  refresh(contactId: string): void
  /** The network has started: what was wished before went unheard. */
  resume(): void
}

export const createShowing = (core: Core): Showing => {
  let shown: string | null = null
  let wanted: PeerRoute | undefined

  const routeFor = (conversationId: string): Promise<PeerRoute | undefined> =>
    core.store.read(async (tx) => {
      const row = await tx.get(conversationTable, [fromHex(conversationId)])
      const contact = row && (await tx.get(contactTable, [row.contactId]))
      return contact && routeOf(contact)
    })

  const describe = (route: PeerRoute | undefined): string =>
    route
      ? [
          route.contactId,
          route.direct,
          toHex(route.deviceKey),
          ...route.mailboxes.map((mailbox) => toHex(mailbox.lane)),
        ].join()
      : ''

  const update = async (): Promise<void> => {
    const target = shown
    const route = target === null ? undefined : await routeFor(target)
    if (target !== shown || describe(route) === describe(wanted)) return
    const network = core.network()
    if (!network) return
    if (wanted && wanted.contactId !== route?.contactId) network.wantDirect(wanted, false)
    if (route) network.wantDirect(route, true)
    wanted = route
  }

  return {
    show: (conversationId) => {
      shown = conversationId
      return update()
    },
    refresh: (contactId) => {
      if (shown !== null && (wanted === undefined || wanted.contactId === contactId)) void update().catch(core.report)
    },
    resume: () => {
      wanted = undefined
      void update().catch(core.report)
    },
  }
}
