import type { Connection } from '../../models/connection.ts'
import type { ConversationsModel } from '../../models/conversations-model.ts'
import { ConnectionStatus } from '../parts/ConnectionStatus.tsx'
import { BubbleIcon, CameraIcon, InviteIcon, LinkIcon, SettingsIcon } from '../parts/icons.tsx'
import { ConversationRow } from './ConversationRow.tsx'

interface Props {
  readonly conversations: ConversationsModel
  readonly openId: string | null
  /** Null while a conversation shows it. */
  readonly connection: Connection | null
  readonly now: number
  readonly onOpen: (conversationId: string) => void
  readonly onInvite: () => void
  readonly onLink: () => void
  readonly onScan: () => void
  readonly onSettings: () => void
}

/** Arrow keys, Home and End move between the rows. */
const moveFocus = (event: KeyboardEvent & { currentTarget: HTMLElement }) => {
  const rows = [...event.currentTarget.querySelectorAll<HTMLButtonElement>('button')]
  const at = rows.findIndex((row) => row === event.target)
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key]
  if (next === undefined || event.altKey) return
  event.preventDefault()
  rows[next]?.focus()
}

const CatchingUp = ({ waiting, most }: { waiting: number; most: number }) => (
  <div class="catching-up">
    <progress aria-label="Catching up" max={most} value={most - waiting} />
    <span>
      Catching up: {waiting.toLocaleString()} {waiting === 1 ? 'message' : 'messages'} to go
    </span>
  </div>
)

const NoConversations = ({ onLink, onScan }: Pick<Props, 'onLink' | 'onScan'>) => (
  <div class="empty">
    <span class="beginning-icon">
      <BubbleIcon />
    </span>
    <h2>No conversations yet</h2>
    <p>
      Press <strong>Invite</strong> above and give the link or the code to somebody you want to talk to. Or open one
      that you were given:
    </p>
    <div class="empty-ways">
      <button type="button" class="button" onClick={onLink}>
        <LinkIcon />
        Paste a link
      </button>
      <button type="button" class="button" onClick={onScan}>
        <CameraIcon />
        Scan a code
      </button>
    </div>
  </div>
)

/** All conversations, and the ways to begin a new one. */
export const ListPane = (props: Props) => {
  const conversations = props.conversations.conversations.value
  const catchingUp = props.conversations.catchingUp.value
  return (
    <section class="pane list-pane" aria-label="All conversations">
      <header class="bar">
        <div class="bar-title">
          <h1 class="wordmark">Sotto</h1>
          {props.connection !== null && <ConnectionStatus connection={props.connection} />}
        </div>
        <button type="button" class="icon-button" aria-label="Settings" title="Settings" onClick={props.onSettings}>
          <SettingsIcon />
        </button>
        {conversations.length > 0 && (
          <button
            type="button"
            class="icon-button"
            aria-label="Paste a link or scan a code"
            title="Open a link or a code you were given"
            onClick={props.onLink}
          >
            <LinkIcon />
          </button>
        )}
        <button type="button" class="button button-strong" onClick={props.onInvite}>
          <InviteIcon />
          Invite
        </button>
      </header>
      {catchingUp !== null && <CatchingUp {...catchingUp} />}
      {conversations.length === 0 && <NoConversations onLink={props.onLink} onScan={props.onScan} />}
      <ul role="list" aria-label="Conversations" class="conversation-list" onKeyDown={moveFocus}>
        {conversations.map((conversation) => (
          <ConversationRow
            key={conversation.conversationId}
            conversation={conversation}
            open={conversation.conversationId === props.openId}
            now={props.now}
            onOpen={() => props.onOpen(conversation.conversationId)}
          />
        ))}
      </ul>
    </section>
  )
}
