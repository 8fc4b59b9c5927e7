import type { ConversationModel } from '../../models/conversation-model.ts'
import { WarningIcon } from '../parts/icons.tsx'

interface Props {
  readonly conversation: ConversationModel
  readonly onSafetyNumber: () => void
}

/** Stands above the field once two histories of a contact's account were seen, until the person has compared. */
export const TwoHistories = ({ conversation, onSafetyNumber }: Props) => {
  if (conversation.view.value.forked !== true) return null
  return (
    <div class="keys-changed" role="alert">
      <p>
        <WarningIcon />
        <span>
          <strong>
            There are two histories of <bdi>{conversation.name.value}</bdi>’s account.
          </strong>{' '}
          Only its keys can make them, so somebody else may have a copy of those. Ask them, and scan the code of their
          safety number.
        </span>
      </p>
      <div class="keys-changed-actions">
        <button type="button" class="button button-strong" onClick={onSafetyNumber}>
          <span>
            Compare<span class="wide-only"> the safety number</span>
          </span>
        </button>
      </div>
    </div>
  )
}
