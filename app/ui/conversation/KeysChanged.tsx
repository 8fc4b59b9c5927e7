import type { ConversationModel } from '../../models/conversation-model.ts'
import { WarningIcon } from '../parts/icons.tsx'

interface Props {
  readonly conversation: ConversationModel
  readonly onSafetyNumber: () => void
}

/** Stands above the field while a verified contact's new keys wait for a yes. */
export const KeysChanged = ({ conversation, onSafetyNumber }: Props) => {
  if (conversation.view.value.verification !== 'changed') return null
  const problem = conversation.decisionProblem.value
  return (
    <div class="keys-changed" role="alert">
      <p>
        <WarningIcon />
        <span>
          <strong>
            <bdi>{conversation.name.value}</bdi>’s keys have changed.
          </strong>{' '}
          Compare the safety number, or send anyway. Until then what you write waits here.
        </span>
      </p>
      {problem !== null && <p class="problem">{problem}</p>}
      <div class="keys-changed-actions">
        <button type="button" class="button" onClick={() => void conversation.sendAnyway()}>
          Send anyway
        </button>
        <button type="button" class="button button-strong" onClick={onSafetyNumber}>
          <span>
            Compare<span class="wide-only"> the safety number</span>
          </span>
        </button>
      </div>
    </div>
  )
}
