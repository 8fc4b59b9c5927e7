/** What stands where a message has no text. */
export const unknownWords = 'This message needs a newer version of Sotto.'

export const deletedWords = (mine: boolean): string =>
  mine ? 'You deleted this message.' : 'This message was deleted.'
