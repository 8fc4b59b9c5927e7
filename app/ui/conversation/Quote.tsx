import type { Referred } from '../../models/messages-model.ts'
import { deletedWords } from '../parts/message-words.ts'
import { previewOf } from '../rich-text/syntax-tree.ts'

interface Props {
  readonly message: Referred
  readonly senderName: string
}

const textOf = (message: Referred): string => {
  // Not known yet, for a moment: the line keeps its height.
  if (message === undefined) return '\u00a0'
  if (message === null) return 'A message that is not here'
  if (message.deleted) return deletedWords(message.mine)
  return message.text === undefined ? 'A message for a newer version of Sotto' : previewOf(message.text)
}

/** Who said what is answered, and how it begins. */
export const Quote = ({ message, senderName }: Props) => (
  <>
    {message && <bdi class="quote-name">{message.mine ? 'You' : senderName}</bdi>}
    <span class={message === null ? 'quote-text quote-gone' : 'quote-text'} dir="auto">
      {textOf(message)}
    </span>
  </>
)
