import { useMemo } from 'preact/hooks'
import type { Connection } from '../../models/connection.ts'
import type { ConversationModel } from '../../models/conversation-model.ts'
import type { MessageActionsModel } from '../../models/message-actions-model.ts'
import type { MessageView } from '../../models/messages-model.ts'
import { DeleteDialog, EarlierTextsDialog } from '../dialogs/later-dialogs.ts'
import { BubbleIcon } from '../parts/icons.tsx'
import { previewOf } from '../rich-text/syntax-tree.ts'
import type { MessageActions } from './Bubble.tsx'
import { Composer } from './Composer.tsx'
import { ConversationHeader } from './ConversationHeader.tsx'
import { KeysChanged } from './KeysChanged.tsx'
import { MessageList } from './MessageList.tsx'
import { noticeText } from './NoticeRow.tsx'
import { TwoHistories } from './TwoHistories.tsx'

interface Props {
  readonly conversation: ConversationModel
  readonly connection: Connection
  readonly now: number
  readonly focusComposer: boolean
  readonly onBack: () => void
  readonly onSafetyNumber: () => void
}

const Typing = ({ name }: { name: string }) => (
  <p class="typing">
    <span class="typing-dots" aria-hidden="true">
      <i />
      <i />
      <i />
    </span>
    {name} is writing
  </p>
)

const Beginning = ({ name, named }: { name: string; named: boolean }) => (
  <div class="beginning">
    <span class="beginning-icon">
      <BubbleIcon />
    </span>
    <h2>{named ? `Say hello to ${name}` : 'Say hello'}</h2>
    <p>
      {named
        ? 'Only the two of you can read what is written here.'
        : 'Their name appears with their first answer. What you write waits sealed until they are there.'}
    </p>
  </div>
)

const actionsOn = ({ messages, composer, actions, show }: ConversationModel): MessageActions => ({
  referred: messages.referred,
  isUnfolded: messages.isUnfolded,
  unfold: messages.unfold,
  answer: ({ messageId }) => composer.answer(messageId),
  show: (messageId) => void show(messageId),
  copy: (message) => void actions.copyText(message),
  edit: composer.beginEdit,
  react: (message, emoji) => void actions.react(message, emoji),
  remove: actions.askDelete,
  showEarlier: (message) => void actions.showEarlier(message),
})

const AskedDialog = ({ actions, now }: { actions: MessageActionsModel; now: number }) => {
  const asked = actions.asked.value
  if (asked === null) return null
  if (asked.kind === 'earlier') return <EarlierTextsDialog {...asked} now={now} onClose={actions.close} />
  return (
    <DeleteDialog
      message={asked.message}
      onDelete={(where) => void actions.deleteAsked(where)}
      onClose={actions.close}
    />
  )
}

const Messages = ({ conversation, now }: Pick<Props, 'conversation' | 'now'>) => {
  const { messages, view } = conversation
  const actions = useMemo(() => actionsOn(conversation), [conversation])
  return (
    <MessageList
      messages={messages.messages.value}
      total={view.value.messages}
      complete={messages.complete.value}
      firstUnreadId={conversation.firstUnreadId.value}
      sought={conversation.sought.value}
      actions={actions}
      unread={view.value.unread}
      senderName={conversation.name.value}
      held={view.value.verification === 'changed'}
      now={now}
      onNeedOlder={() => void messages.loadOlder()}
      onLookedAt={conversation.lookedAt}
    />
  )
}

const History = ({ conversation, now }: Pick<Props, 'conversation' | 'now'>) => {
  const { messages, view } = conversation
  if (messages.state.value === 'failed')
    return (
      <div class="beginning" role="alert">
        <h2>The messages could not be read</h2>
        <p>They are still stored on this device.</p>
        <button type="button" class="button" onClick={() => void conversation.open()}>
          Try again
        </button>
      </div>
    )
  if (messages.isEmpty.value) return <Beginning name={conversation.name.value} named={view.value.name !== undefined} />
  if (messages.state.value === 'loading') return <div class="history" aria-busy="true" />
  return <Messages conversation={conversation} now={now} />
}

const wordsOf = ({ notice, text }: MessageView, name: string): string =>
  notice === undefined
    ? `${name}: ${text === undefined ? 'a message this version cannot show' : previewOf(text)}`
    : noticeText(name)

/** One conversation: who, what was said, and where to write. */
export const ConversationPane = ({ conversation, ...props }: Props) => {
  const { contactId, name, typing, verification, here, seenAtMs } = conversation.view.value
  const spoken = conversation.announcement.value
  const waitingFor = conversation.waitingFor.value
  return (
    <section class="pane conversation-pane" aria-label="Conversation">
      <ConversationHeader
        contactId={contactId}
        name={conversation.name.value}
        named={name !== undefined}
        verification={verification}
        here={here}
        seenAtMs={seenAtMs}
        connection={props.connection}
        now={props.now}
        onBack={props.onBack}
        onSafetyNumber={props.onSafetyNumber}
      />
      <History conversation={conversation} now={props.now} />
      <div class="typing-place" aria-live="polite">
        {typing ? (
          <Typing name={conversation.name.value} />
        ) : (
          waitingFor !== null && <p class="waiting-line">{waitingFor}</p>
        )}
      </div>
      <TwoHistories conversation={conversation} onSafetyNumber={props.onSafetyNumber} />
      <KeysChanged conversation={conversation} onSafetyNumber={props.onSafetyNumber} />
      <Composer
        composer={conversation.composer}
        referred={conversation.messages.referred}
        senderName={conversation.name.value}
        focus={props.focusComposer}
        onEditLast={conversation.editLast}
      />
      <AskedDialog actions={conversation.actions} now={props.now} />
      <p class="said" role="status">
        {conversation.actions.said.value !== null && <span>{conversation.actions.said.value}</span>}
      </p>
      <p class="visually-hidden" aria-live="polite">
        {spoken !== null && wordsOf(spoken, conversation.name.value)}
      </p>
    </section>
  )
}
