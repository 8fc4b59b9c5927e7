/** 8 hues, each with enough contrast under white letters in both themes. */
const hues = 8

/** A stable hue for a contact: the same everywhere and after every reload. */
const hueOf = (contactId: string): number => Number.parseInt(contactId.slice(0, 4) || '0', 16) % hues || 0

/** Up to two letters: the first of the first and of the last word. Counts graphemes, so that an emoji stays whole. */
const initialsOf = (name: string): string => {
  const words = name.trim().split(/\s+/)
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map(
    (word) => [...new Intl.Segmenter().segment(word ?? '')][0]?.segment ?? '',
  )
  return letters.join('').toLocaleUpperCase()
}

/** The disc that stands for somebody. Decorative: the name stands beside it. */
export const Avatar = ({ contactId, name }: { contactId: string; name: string | undefined }) => (
  <span class={`avatar hue-${hueOf(contactId)}`} aria-hidden="true">
    {name === undefined ? '?' : initialsOf(name)}
  </span>
)
