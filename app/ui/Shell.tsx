import { useEffect, useRef } from 'preact/hooks'
import type { AppModel } from '../models/app-model.ts'
import { ConversationPane } from './conversation/ConversationPane.tsx'
import { InviteDialog, LinkDialog, SafetyDialog, SettingsDialog } from './dialogs/later-dialogs.ts'
import { ListPane } from './list/ListPane.tsx'
import { Notices } from './Notices.tsx'
import { BubbleIcon } from './parts/icons.tsx'

interface Props {
  readonly app: AppModel
  readonly touch: boolean
}

const OpenDialog = ({ app }: { app: AppModel }) => {
  const conversation = app.conversation.value
  const safety = app.safety.value
  switch (app.dialog.value) {
    case 'invite':
      return <InviteDialog invite={app.invite} onClose={app.closeDialog} />
    case 'link':
      return <LinkDialog link={app.link} onClose={app.closeDialog} />
    case 'settings':
      return <SettingsDialog settings={app.settings} now={app.now.value} onClose={app.closeDialog} />
    case 'safety':
      return conversation === null || safety === null ? null : (
        <SafetyDialog
          safety={safety}
          name={conversation.name.value}
          verification={conversation.view.value.verification}
          onClose={app.closeDialog}
        />
      )
    case null:
      return null
  }
}

const NothingOpen = () => (
  <div class="pane conversation-pane nothing-open">
    <span class="beginning-icon">
      <BubbleIcon />
    </span>
    <p>Choose a conversation, or invite somebody.</p>
  </div>
)

/** Keys that work wherever the focus is. A dialog handles its own. */
const useShortcuts = ({ app }: Props) => {
  const root = useRef<HTMLElement>(null)
  useEffect(() => {
    const page = root.current?.ownerDocument
    const onKey = (event: KeyboardEvent) => {
      const asked = app.conversation.value?.actions.asked.value ?? null
      if (app.dialog.value !== null || asked !== null || event.defaultPrevented || event.isComposing) return
      if (event.key === 'Escape') app.closeConversation()
      else if (event.altKey && event.key === 'ArrowUp') app.openNeighbour(-1)
      else if (event.altKey && event.key === 'ArrowDown') app.openNeighbour(1)
      else return
      event.preventDefault()
    }
    page?.addEventListener('keydown', onKey)
    return () => page?.removeEventListener('keydown', onKey)
  }, [])
  return root
}

/** Two panes on a wide screen, one at a time on a phone. */
export const Shell = ({ app, touch }: Props) => {
  const root = useShortcuts({ app, touch })
  const conversation = app.conversation.value
  const openId = conversation?.conversationId.value ?? null
  const left = useRef<string | null>(null)
  useEffect(() => {
    // Back in the list, the focus returns to the row the person came from.
    if (openId === null && left.current !== null)
      root.current?.querySelector<HTMLElement>(`[data-conversation="${CSS.escape(left.current)}"]`)?.focus()
    left.current = openId
  }, [openId])
  return (
    <main ref={root} class={`shell ${openId === null ? 'shell-list' : 'shell-conversation'}`}>
      <ListPane
        conversations={app.conversations}
        openId={openId}
        connection={conversation === null ? app.connection.value : null}
        now={app.now.value}
        onOpen={(id) => {
          if (id !== openId) app.openConversation(id)
          else root.current?.querySelector('textarea')?.focus()
        }}
        onInvite={() => app.openDialog('invite')}
        onLink={() => app.openDialog('link')}
        onScan={() => app.openDialog('scan')}
        onSettings={() => app.openDialog('settings')}
      />
      {conversation === null ? (
        <NothingOpen />
      ) : (
        <ConversationPane
          key={openId}
          conversation={conversation}
          connection={app.connection.value}
          now={app.now.value}
          focusComposer={!touch}
          onBack={app.closeConversation}
          onSafetyNumber={() => app.openDialog('safety')}
        />
      )}
      <OpenDialog app={app} />
      <Notices notices={app.notices} />
    </main>
  )
}
