import { useLayoutEffect, useRef } from 'preact/hooks'
import type { ComposerModel } from '../../models/composer-model.ts'
import { SendIcon } from '../parts/icons.tsx'

interface Props {
  readonly composer: ComposerModel
  /** Takes the focus when it appears. */
  readonly focus: boolean
}

/** Where a message is written. Enter sends, Shift+Enter begins a new line. */
export const Composer = ({ composer, focus }: Props) => {
  const field = useRef<HTMLTextAreaElement>(null)
  const text = composer.text.value
  const tooLongBy = composer.tooLongBy.value
  const problem = composer.problem.value

  useLayoutEffect(() => {
    const element = field.current
    if (element === null) return
    // Collapsed first: only then does the height that the text needs show.
    element.style.height = 'auto'
    element.style.height = `${element.scrollHeight}px`
  }, [text])
  useLayoutEffect(() => {
    if (focus) field.current?.focus()
  }, [])

  const send = () => {
    if (composer.send()) field.current?.focus()
  }

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      {(problem !== null || tooLongBy > 0) && (
        <p id="composer-problem" class="composer-problem" role="alert">
          {problem ?? `Too long by ${tooLongBy.toLocaleString()} bytes. Shorten it, or send it in parts.`}
        </p>
      )}
      <div class="composer-line">
        <textarea
          ref={field}
          class="composer-field"
          aria-label="Message"
          {...(problem !== null || tooLongBy > 0 ? { 'aria-describedby': 'composer-problem' } : {})}
          aria-invalid={tooLongBy > 0}
          placeholder="Write a message"
          rows={1}
          dir="auto"
          autocomplete="off"
          enterkeyhint="send"
          value={text}
          onInput={(event) => composer.edit(event.currentTarget.value)}
          onBlur={composer.saveDraft}
          onKeyDown={(event) => {
            // While an input method composes, Enter belongs to it.
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
            event.preventDefault()
            send()
          }}
        />
        <button type="submit" class="send-button" aria-label="Send" disabled={!composer.canSend.value}>
          <SendIcon />
        </button>
      </div>
    </form>
  )
}
