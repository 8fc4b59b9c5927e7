import type { EarlierText } from '../../models/message-actions-model.ts'
import type { MessageView } from '../../models/messages-model.ts'
import { Dialog } from '../parts/Dialog.tsx'
import { clockTime, dayName, exactTime } from '../parts/format-time.ts'
import { MessageText } from '../rich-text/MessageText.tsx'

export interface EarlierTextsDialogProps {
  readonly message: MessageView
  /** Null while they are read. */
  readonly texts: readonly EarlierText[] | null
  readonly now: number
  readonly onClose: () => void
}

const Version = ({ text, sentAtMs, now }: EarlierText & { now: number }) => (
  <li>
    <time class="hint" dateTime={new Date(sentAtMs).toISOString()} title={exactTime(sentAtMs)}>
      {dayName(sentAtMs, now)}, {clockTime(sentAtMs)}
    </time>
    <div class="version-text" dir="auto">
      <MessageText text={text} unfolded={true} onUnfold={() => undefined} />
    </div>
  </li>
)

/** What a message says now, and what it said before each of its edits. */
export const EarlierTextsDialog = ({ message, texts, now, onClose }: EarlierTextsDialogProps) => {
  const { text = '', sentAtMs, editedAtMs = sentAtMs } = message
  const versions = [...(texts ?? []), { text, sentAtMs: editedAtMs }].toReversed()
  return (
    <Dialog title="Edits" onClose={onClose} focusBody>
      <ul role="list" class="versions" aria-busy={texts === null}>
        {versions.map((version, index) => (
          <Version key={versions.length - index} {...version} now={now} />
        ))}
      </ul>
    </Dialog>
  )
}
