import type { RefObject } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { ComposerModel } from '../../models/composer-model.ts'
import type { Referred } from '../../models/messages-model.ts'
import { CloseIcon, SendIcon } from '../parts/icons.tsx'
import { Quote } from './Quote.tsx'

interface Props {
  readonly composer: ComposerModel
  readonly referred: (messageId: string) => Referred
  readonly senderName: string
  /** Takes the focus when it appears. */
  readonly focus: boolean
}

const Answering = ({ composer, referred, senderName }: Omit<Props, 'focus'>) => {
  const answered = composer.replyTo.value
  if (answered === null) return null
  return (
    <div class="answering">
      <div class="quote">
        <span class="visually-hidden">In answer to </span>
        <Quote message={referred(answered)} senderName={senderName} />
      </div>
      <button type="button" class="icon-button" aria-label="Do not answer it" onClick={() => composer.answer(null)}>
        <CloseIcon />
      </button>
    </div>
  )
}

/** The field is as tall as its text, and takes the focus when it appears and when something to answer was chosen. */
const useField = (field: RefObject<HTMLTextAreaElement | null>, composer: ComposerModel, focus: boolean) => {
  const text = composer.text.value
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

  // Whoever has chosen what to answer wants to write; a draft that comes back has not been chosen just now.
  const replyTo = composer.replyTo.value
  const known = useRef(replyTo)
  useLayoutEffect(() => {
    if (replyTo !== known.current) field.current?.focus()
    known.current = replyTo
  }, [replyTo])
}

/** Where a message is written. Enter sends, Shift+Enter begins a new line, Escape takes back what it answers. */
export const Composer = ({ focus, ...props }: Props) => {
  const { composer } = props
  const field = useRef<HTMLTextAreaElement>(null)
  const text = composer.text.value
  const tooLongBy = composer.tooLongBy.value
  const problem = composer.problem.value

  useField(field, composer, focus)

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
      <Answering {...props} />
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
            // While an input method composes, its keys belong to it.
            if (event.isComposing) return
            if (event.key === 'Escape' && composer.replyTo.value !== null) composer.answer(null)
            else if (event.key === 'Enter' && !event.shiftKey) send()
            else return
            event.preventDefault()
          }}
        />
        <button type="submit" class="send-button" aria-label="Send" disabled={!composer.canSend.value}>
          <SendIcon />
        </button>
      </div>
    </form>
  )
}
