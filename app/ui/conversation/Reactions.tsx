import type { MessageView } from '../../models/messages-model.ts'

interface Props {
  readonly message: MessageView
  readonly senderName: string
  readonly onReact: (emoji: string) => void
}

/** Each emoji once, and who thinks so. */
const chipsOf = ({ reactions = {} }: MessageView, senderName: string) => {
  const { mine, theirs } = reactions
  if (mine !== undefined && mine === theirs) return [{ emoji: mine, own: true, who: `you and ${senderName}`, count: 2 }]
  return [
    ...(theirs === undefined ? [] : [{ emoji: theirs, own: false, who: senderName, count: 1 }]),
    ...(mine === undefined ? [] : [{ emoji: mine, own: true, who: 'you', count: 1 }]),
  ]
}

/** What both think of a message; a click joins in, or takes one's own back. */
export const Reactions = ({ message, senderName, onReact }: Props) => {
  const chips = chipsOf(message, senderName)
  if (chips.length === 0) return null
  return (
    <div role="group" class="reactions" aria-label="Reactions">
      {chips.map(({ emoji, own, who, count }) => (
        <button
          key={emoji}
          type="button"
          class="reaction"
          aria-pressed={own}
          aria-label={`${emoji} by ${who}`}
          onClick={() => onReact(emoji)}
        >
          <span>{emoji}</span>
          {count > 1 && <span class="reaction-count">{count}</span>}
        </button>
      ))}
    </div>
  )
}
